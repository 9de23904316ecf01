#ifndef MEMEX_SHIM_TOKENS_H
#define MEMEX_SHIM_TOKENS_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(MEMEX_PORTABLE)
#include <emmintrin.h>
#endif

/* Asks for the line of memory that will be read soon. */
static inline void memex_shim_prefetch(const void *address) { __builtin_prefetch(address); }

/* The lowest of eight, sixteen, ... numbers: what a merge looks for, without a branch on what it finds. */
static inline int32_t memex_shim_lowest(const int32_t *numbers, int eights) {
#if defined(__SSE2__) && !defined(MEMEX_PORTABLE)
  __m128i best = _mm_loadu_si128((const __m128i *)(const void *)numbers);
  __m128i other = _mm_loadu_si128((const __m128i *)(const void *)(numbers + 4));
#define MEMEX_SHIM_LOWER(a, b) \
  _mm_or_si128(_mm_and_si128(_mm_cmplt_epi32(a, b), a), _mm_andnot_si128(_mm_cmplt_epi32(a, b), b))
  for (int at = 8; at < eights * 8; at += 8) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(numbers + at));
    __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(numbers + at + 4));
    best = MEMEX_SHIM_LOWER(x, best);
    other = MEMEX_SHIM_LOWER(y, other);
  }
  best = MEMEX_SHIM_LOWER(other, best);
  other = _mm_shuffle_epi32(best, 0x4E);
  best = MEMEX_SHIM_LOWER(other, best);
  other = _mm_shuffle_epi32(best, 0xB1);
  best = MEMEX_SHIM_LOWER(other, best);
  return _mm_cvtsi128_si32(best);
#undef MEMEX_SHIM_LOWER
#else
  int32_t best = numbers[0];
  for (int at = 1; at < eights * 8; at++) best = numbers[at] < best ? numbers[at] : best;
  return best;
#endif
}

/* Where the first of such numbers stands that equals value; one does. */
static inline int32_t memex_shim_find(const int32_t *numbers, int32_t value) {
#if defined(__SSE2__) && !defined(MEMEX_PORTABLE)
  const __m128i wanted = _mm_set1_epi32(value);
  for (int32_t at = 0;; at += 8) {
    __m128i x = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(const void *)(numbers + at)), wanted);
    __m128i y = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(const void *)(numbers + at + 4)), wanted);
    int mask = _mm_movemask_epi8(_mm_packs_epi32(x, y));
    if (mask) return at + __builtin_ctz((unsigned)mask) / 2;
  }
#else
  int32_t at = 0;
  while (numbers[at] != value) at++;
  return at;
#endif
}

/* Which of 64 bytes belong to which class, bit 0 the first. A byte with no bit is a symbol of ASCII. */
typedef struct memex_shim_text_masks {
  uint64_t upper, lower, digit;
  uint64_t blank;      /* U+0020 */
  uint64_t white;      /* tab, vertical tab, form feed */
  uint64_t newline;    /* CR, LF */
  uint64_t apostrophe; /* among the symbols */
  uint64_t foreign;    /* not ASCII, or NUL */
} memex_shim_text_masks;

#if defined(__SSE2__) && !defined(MEMEX_PORTABLE)

/* Swift has no way to gather the top bits of a vector. All 64 bytes must be readable. */
static inline memex_shim_text_masks memex_shim_text_classify(const uint8_t *bytes) {
  memex_shim_text_masks masks = {0, 0, 0, 0, 0, 0, 0, 0};
  const __m128i case_bit = _mm_set1_epi8(0x20);
#pragma clang loop unroll(full)
  for (int part = 0; part < 4; part++) {
    const int at = part * 16;
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
    __m128i from_a = _mm_sub_epi8(_mm_or_si128(v, case_bit), _mm_set1_epi8('a'));
    __m128i from_0 = _mm_sub_epi8(v, _mm_set1_epi8('0'));
    __m128i from_tab = _mm_sub_epi8(v, _mm_set1_epi8('\t'));
    uint64_t letter = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a));
    uint64_t digit = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(from_0, _mm_set1_epi8(9)), from_0));
    uint64_t white = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(from_tab, _mm_set1_epi8(4)), from_tab));
    /* The case bit of each byte, shifted to its top. */
    uint64_t small = (uint32_t)_mm_movemask_epi8(_mm_slli_epi16(v, 2));
    uint64_t blank = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, case_bit));
    uint64_t newline = (uint32_t)_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))));
    uint64_t apostrophe = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\'')));
    uint64_t foreign = (uint32_t)_mm_movemask_epi8(_mm_or_si128(v, _mm_cmpeq_epi8(v, _mm_setzero_si128())));
    masks.lower |= (letter & small) << at;
    masks.upper |= (letter & ~small) << at;
    masks.digit |= digit << at;
    masks.blank |= blank << at;
    masks.newline |= newline << at;
    masks.white |= (white & ~newline) << at;
    masks.apostrophe |= apostrophe << at;
    masks.foreign |= foreign << at;
  }
  return masks;
}

#else

static inline memex_shim_text_masks memex_shim_text_classify(const uint8_t *bytes) {
  memex_shim_text_masks masks = {0, 0, 0, 0, 0, 0, 0, 0};
  for (int at = 0; at < 64; at++) {
    const uint8_t byte = bytes[at];
    const uint64_t bit = (uint64_t)1 << at;
    if (byte >= 'a' && byte <= 'z')
      masks.lower |= bit;
    else if (byte >= 'A' && byte <= 'Z')
      masks.upper |= bit;
    else if (byte == ' ')
      masks.blank |= bit;
    else if (byte >= '0' && byte <= '9')
      masks.digit |= bit;
    else if (byte == '\n' || byte == '\r')
      masks.newline |= bit;
    else if (byte == '\t' || byte == '\v' || byte == '\f')
      masks.white |= bit;
    else if (byte == '\'')
      masks.apostrophe |= bit;
    else if (byte >= 0x80 || byte == 0)
      masks.foreign |= bit;
  }
  return masks;
}

#endif

#endif
