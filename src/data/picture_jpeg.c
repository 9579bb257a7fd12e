/* picture_jpeg.c - JPEG by libjpeg-turbo: grey stays grey, everything else becomes RGB. A file that
 * breaks off is refused: half a photo is no example.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h> /* jpeglib.h wants it first */

#include <jpeglib.h>
#include <setjmp.h>

#include "data/picture.h"

typedef struct reader {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr manager;
  jmp_buf escape;
  char reason[JMSG_LENGTH_MAX];
} reader;

static void give_up(j_common_ptr info) {
  reader *r = info->client_data;
  r->manager.format_message(info, r->reason);
  longjmp(r->escape, 1);
}

/* Warnings (level -1) mean damaged data; messages above are notes. */
static void on_message(j_common_ptr info, int level) {
  if (level < 0) give_up(info);
}

static void be_quiet(j_common_ptr info) {
  (void)info;
}

/* Adobe's inverted CMYK, in place to RGB: 255 is no ink. */
static void cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, int32_t width) {
  for (int32_t i = 0; i < width; i++)
    for (int32_t c = 0; c < 3; c++)
      rgb[3 * i + c] = (uint8_t)((cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255);
}

static void read_rows(reader *r, const mn_picture *picture, uint8_t *line) {
  size_t row = (size_t)picture->width * (size_t)picture->channels;
  while (r->info.output_scanline < r->info.output_height) {
    uint8_t *to = picture->pixels + row * r->info.output_scanline;
    JSAMPROW rows[1] = {line != NULL ? line : to};
    if (jpeg_read_scanlines(&r->info, rows, 1) != 1) break;
    if (line != NULL) cmyk_to_rgb(to, line, picture->width);
  }
}

/* Header and memory; *line: room for a row of four inks, NULL where none are. */
static mn_status begin(reader *r, mn_picture *picture, uint8_t **line, mn_bytes file,
                       const char *name, mn_error *error) {
  jpeg_create_decompress(&r->info);
  r->info.client_data = r;
  jpeg_mem_src(&r->info, file.data, file.size);
  jpeg_read_header(&r->info, TRUE);
  J_COLOR_SPACE from = r->info.jpeg_color_space;
  bool inks = from == JCS_CMYK || from == JCS_YCCK;
  picture->channels = from == JCS_GRAYSCALE ? 1 : 3;
  r->info.out_color_space = from == JCS_GRAYSCALE ? JCS_GRAYSCALE : inks ? JCS_CMYK : JCS_RGB;
  MN_TRY(mn_picture_allocate(picture, r->info.image_width, r->info.image_height, name, error));
  if (!inks) return MN_OK;
  *line = mn_malloc(4 * (size_t)picture->width);
  return *line != NULL ? MN_OK : mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", name);
}

/* What outlives a jump lives in the caller's memory. */
typedef struct decoding {
  reader r;
  mn_picture *picture;
  uint8_t *line;
  mn_status status;
} decoding;

static void decode(decoding *d, mn_bytes file, const char *name, mn_error *error) {
  if (setjmp(d->r.escape) != 0) {
    d->status = mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: %s", name, d->r.reason);
    return;
  }
  d->status = begin(&d->r, d->picture, &d->line, file, name, error);
  if (d->status != MN_OK) return;
  jpeg_start_decompress(&d->r.info);
  read_rows(&d->r, d->picture, d->line);
  jpeg_finish_decompress(&d->r.info);
}

mn_status mn_jpeg_decode(mn_picture *picture, mn_bytes file, const char *name, mn_error *error) {
  decoding d = {.picture = picture};
  d.r.info.err = jpeg_std_error(&d.r.manager);
  d.r.manager.error_exit = give_up;
  d.r.manager.emit_message = on_message;
  d.r.manager.output_message = be_quiet;
  d.r.info.client_data = &d.r;
  decode(&d, file, name, error);
  jpeg_destroy_decompress(&d.r.info);
  mn_free(d.line);
  return d.status;
}
