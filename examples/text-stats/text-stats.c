// Counts what is in a text. It must never read past `len`: a string from outside has no zero at its end.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "text_stats.h" // made by `wit-bindgen c` from wit/

// Each function owns the texts that it is given, and frees them.

uint32_t exports_text_stats_count_lines(text_stats_string_t *text) {
  uint32_t lines = 0;
  for (size_t i = 0; i < text->len; i++) lines += text->ptr[i] == '\n';
  if (text->len > 0 && text->ptr[text->len - 1] != '\n') lines++;
  text_stats_string_free(text);
  return lines;
}

static bool is_space(uint8_t byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

uint32_t exports_text_stats_count_words(text_stats_string_t *text) {
  uint32_t words = 0;
  bool inside = false;
  for (size_t i = 0; i < text->len; i++) {
    bool space = is_space(text->ptr[i]);
    words += !space && !inside;
    inside = !space;
  }
  text_stats_string_free(text);
  return words;
}

void exports_text_stats_crc32(text_stats_string_t *text, text_stats_string_t *answer) {
  uint32_t crc = ~UINT32_C(0);
  for (size_t i = 0; i < text->len; i++) {
    crc ^= text->ptr[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
  }
  crc = ~crc;
  text_stats_string_free(text);

  static const char digits[] = "0123456789abcdef";
  answer->len = 8;
  answer->ptr = malloc(answer->len);
  if (!answer->ptr) abort();
  for (int i = 0; i < 8; i++) answer->ptr[i] = digits[crc >> (28 - 4 * i) & 15];
}
