#include "libvips.h"

// Each saver works behind a copy, whose kill flag is the brake's gate.
#define PIX_SAVE(b, in, call)                                                  \
  VipsImage *t[1] = {0};                                                       \
  if (V.vips_copy(in, &t[0], NULL)) return -1;                                 \
  pix_brake_set(b, t[0]);                                                      \
  int err = (call);                                                            \
  pix_brake_set(b, NULL);                                                      \
  PIX_DONE(t, 1, err || (b)->pressed ? -1 : 0)

int pix_save_jpeg(pix_brake *b, VipsImage *in, int quality, void **buf, size_t *len) {
  // JPEG has no alpha: what shines through is white, as on paper.
  double white[3] = {255, 255, 255};
  VipsArrayDouble *paper = V.vips_array_double_new(white, in->Bands < 3 ? 1 : 3);
  VipsImage *t[1] = {0};
  // vips_flatten takes any last band for alpha.
  int err = in->Bands % 2 == 0 ? V.vips_flatten(in, &t[0], "background", paper, NULL) : V.vips_copy(in, &t[0], NULL);
  V.vips_area_unref((VipsArea *)paper);
  if (err) return -1;
  pix_brake_set(b, t[0]);
  err = V.vips_jpegsave_buffer(t[0], buf, len, "Q", quality, "optimize_coding", TRUE, "strip", TRUE, NULL);
  pix_brake_set(b, NULL);
  PIX_DONE(t, 1, err || b->pressed ? -1 : 0);
}

int pix_save_png(pix_brake *b, VipsImage *in, void **buf, size_t *len) {
  PIX_SAVE(b, in, V.vips_pngsave_buffer(t[0], buf, len, "compression", 6, "strip", TRUE, NULL));
}

int pix_save_webp(pix_brake *b, VipsImage *in, int quality, int lossless, void **buf, size_t *len) {
  PIX_SAVE(b, in, V.vips_webpsave_buffer(t[0], buf, len, "Q", quality, "lossless", lossless, "strip", TRUE, NULL));
}

int pix_save_avif(pix_brake *b, VipsImage *in, int quality, int lossless, const void *xmp, size_t xmp_len, void **buf,
                  size_t *len) {
  VipsImage *t[1] = {0};
  if (V.vips_copy(in, &t[0], NULL)) return -1;
  if (xmp_len) V.vips_image_set_blob_copy(t[0], VIPS_META_XMP_NAME, xmp, xmp_len);
  pix_brake_set(b, t[0]);
  int err = V.vips_heifsave_buffer(t[0], buf, len, "Q", quality, "lossless", lossless, "compression",
                                   VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "effort", 3, "bitdepth", 8,
                                   "strip", xmp_len == 0, NULL);
  pix_brake_set(b, NULL);
  PIX_DONE(t, 1, err || b->pressed ? -1 : 0);
}
