/* The built-in vocabularies as read-only bytes of the library; tools/generate_vocabularies.py makes them. */
#ifndef MEMEX_VOCABULARIES_H
#define MEMEX_VOCABULARIES_H

#include <stddef.h>

#ifndef __clang__
#define _Nonnull
#define _Nullable
#endif

#define MEMEX_VOCABULARY_O200K_BASE 0
#define MEMEX_VOCABULARY_CL100K_BASE 1
#define MEMEX_VOCABULARY_P50K_BASE 2

/* The image of a vocabulary, aligned to 64 bytes, and its length; NULL for an unknown number. */
const void *_Nullable memex_vocabulary_image(int vocabulary, size_t *_Nonnull length);

/* The classes of all characters, see CharacterTable.swift. */
const unsigned char *_Nonnull memex_character_table(void);

/* What tokenizer files need to know about characters, see UnicodeTable.swift; tools/generate_unicode.py makes it. */
const unsigned char *_Nonnull memex_unicode_table(void);

#endif
