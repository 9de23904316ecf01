#include "memex_vocabularies.h"

#pragma clang diagnostic ignored "-Wpragmas"
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wc23-extensions"

/* The sections of an image are aligned from its beginning on, so the arrays are, too. */
static _Alignas(64) const unsigned char o200k_base[] = {
#embed "images/o200k_base.bin"
};
static _Alignas(64) const unsigned char cl100k_base[] = {
#embed "images/cl100k_base.bin"
};
static _Alignas(64) const unsigned char p50k_base[] = {
#embed "images/p50k_base.bin"
};
static _Alignas(64) const unsigned char characters[] = {
#embed "images/characters.bin"
};
static _Alignas(64) const unsigned char unicode[] = {
#embed "images/unicode.bin"
};

const void *memex_vocabulary_image(int vocabulary, size_t *length) {
  switch (vocabulary) {
  case MEMEX_VOCABULARY_O200K_BASE:
    *length = sizeof o200k_base;
    return o200k_base;
  case MEMEX_VOCABULARY_CL100K_BASE:
    *length = sizeof cl100k_base;
    return cl100k_base;
  case MEMEX_VOCABULARY_P50K_BASE:
    *length = sizeof p50k_base;
    return p50k_base;
  default:
    *length = 0;
    return NULL;
  }
}

const unsigned char *memex_character_table(void) { return characters; }
const unsigned char *memex_unicode_table(void) { return unicode; }
