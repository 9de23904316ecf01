#ifndef MEMEX_SHIM_TEXT_H
#define MEMEX_SHIM_TEXT_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Sixteen bytes at once, from any address: bit i is set where byte i is ... Swift has no instruction that
   gathers a comparison into a mask, so these are here. */

/* ... not to be taken as it is inside a JSON string: a quote, a backslash, a control character, not ASCII. */
static inline uint32_t memex_shim_json_stops(const uint8_t *bytes) {
#ifdef __SSE2__
  __m128i block = _mm_loadu_si128((const __m128i *)bytes);
  __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  /* Signed: what is not ASCII is negative. */
  __m128i outside = _mm_cmplt_epi8(block, _mm_set1_epi8(' '));
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), outside));
#else
  uint32_t mask = 0;
  for (int i = 0; i < 16; i++) {
    uint8_t byte = bytes[i];
    mask |= (uint32_t)(byte == '"' || byte == '\\' || byte < ' ' || byte >= 0x80) << i;
  }
  return mask;
#endif
}

/* ... not ASCII. */
static inline uint32_t memex_shim_high_bits(const uint8_t *bytes) {
#ifdef __SSE2__
  return (uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)bytes));
#else
  uint32_t mask = 0;
  for (int i = 0; i < 16; i++) mask |= (uint32_t)(bytes[i] >> 7) << i;
  return mask;
#endif
}

#endif
