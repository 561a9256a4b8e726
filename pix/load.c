#include "libvips.h"

#include <string.h>

// load opens one picture for a single pass from top to bottom. The loader is named,
// never guessed by vips, so that a file cannot choose another decoder than the one
// its limits were read with. Pointers of one format never outlive the caller's call.
static int load(int format, const void *data, size_t len, VipsImage **out) {
#define PIX_LOAD(loader)                                                       \
  V.loader((void *)data, len, out, "access", VIPS_ACCESS_SEQUENTIAL,           \
           "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL)
  switch (format) {
    case PIX_JPEG: return PIX_LOAD(vips_jpegload_buffer);
    case PIX_PNG: return PIX_LOAD(vips_pngload_buffer);
    case PIX_WEBP: return PIX_LOAD(vips_webpload_buffer);
    case PIX_GIF: return PIX_LOAD(vips_gifload_buffer);
    case PIX_TIFF: return PIX_LOAD(vips_tiffload_buffer);
    case PIX_HEIF: return PIX_LOAD(vips_heifload_buffer);
  }
  return -1;
}

int pix_probe(int format, const void *data, size_t len, pix_head *h) {
  VipsImage *im = NULL;
  if (load(format, data, len, &im)) return -1;
  h->width = im->Xsize;
  h->height = im->Ysize;
  h->bands = im->Bands;
  h->pages = V.vips_image_get_n_pages(im);
  h->alpha = V.vips_image_hasalpha(im);
  h->depth = im->BandFmt == VIPS_FORMAT_UCHAR ? 8 : im->BandFmt == VIPS_FORMAT_USHORT ? 16 : 32;
  h->icc = V.vips_image_get_typeof(im, VIPS_META_ICC_NAME) != 0;
  strncpy(h->space, V.vips_enum_nick(V.vips_interpretation_get_type(), im->Type), sizeof(h->space) - 1);
  V.g_object_unref(im);
  return 0;
}

static int drain_write(VipsRegion *region, VipsRect *area, void *a) { return 0; }

// pix_drain decodes everything and keeps nothing: does the whole file hold?
int pix_drain(pix_brake *b, int format, const void *data, size_t len) {
  VipsImage *im = NULL;
  if (load(format, data, len, &im)) return -1;
  pix_brake_set(b, im);
  int err = V.vips_sink_disc(im, drain_write, NULL);
  pix_brake_set(b, NULL);
  V.g_object_unref(im);
  return err || b->pressed ? -1 : 0;
}

// colour_plain brings colour without alpha to 8-bit sRGB, by the picture's own
// profile where it has a usable one.
static int colour_plain(VipsImage *in, VipsImage **out) {
  VipsImage *t[2] = {0};
  // Perceptual: the one intent that every profile has; for others vips would fall back
  // to a profile of its own without an error.
  if (V.vips_image_get_typeof(in, VIPS_META_ICC_NAME) &&
      !V.vips_icc_transform(in, &t[0], "srgb", "embedded", TRUE, "intent", VIPS_INTENT_PERCEPTUAL,
                            "black_point_compensation", TRUE, "depth", 8, NULL)) {
    int err = V.vips_cast(t[0], out, VIPS_FORMAT_UCHAR, NULL);
    PIX_DONE(t, 2, err);
  }
  int err = V.vips_colourspace(in, &t[1], VIPS_INTERPRETATION_sRGB, NULL) ||
            V.vips_cast(t[1], out, VIPS_FORMAT_UCHAR, NULL);
  PIX_DONE(t, 2, err);
}

// alpha_plain brings alpha to 8 bits. Alpha of float pictures runs from 0 to 1.
static int alpha_plain(VipsImage *in, VipsImage **out) {
  if (in->BandFmt == VIPS_FORMAT_UCHAR) return V.vips_copy(in, out, NULL);
  if (in->BandFmt == VIPS_FORMAT_USHORT) return V.vips_cast(in, out, VIPS_FORMAT_UCHAR, "shift", TRUE, NULL);
  VipsImage *t[1] = {0};
  int err = V.vips_linear1(in, &t[0], 255, 0, NULL) || V.vips_cast(t[0], out, VIPS_FORMAT_UCHAR, NULL);
  PIX_DONE(t, 1, err);
}

// pix_plain makes any picture 8-bit sRGB with three bands, or four with alpha. Alpha
// goes its own way: not every colour conversion of vips rescales it.
int pix_plain(VipsImage *in, VipsImage **out) {
  VipsImage *t[5] = {0};
  if (!V.vips_image_hasalpha(in)) {
    int err = colour_plain(in, out);
    PIX_DONE(t, 5, err);
  }
  int err = V.vips_extract_band(in, &t[0], 0, "n", in->Bands - 1, NULL) ||
            colour_plain(t[0], &t[1]) ||
            V.vips_extract_band(in, &t[2], in->Bands - 1, NULL) ||
            alpha_plain(t[2], &t[3]) ||
            V.vips_bandjoin2(t[1], t[3], &t[4], NULL) ||
            V.vips_copy(t[4], out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL);
  PIX_DONE(t, 5, err);
}

int pix_decode(pix_brake *b, int format, int orientation, const void *data, size_t len, VipsImage **out) {
  VipsImage *t[2] = {0};
  int err = load(format, data, len, &t[0]) || pix_plain(t[0], &t[1]) ||
            pix_land(b, t[1], orientation, out);
  PIX_DONE(t, 2, err);
}

// load_small lets JPEG and WebP decode at less than full size, leaving at least half as
// much again for the finer resampling.
static int load_small(int format, const void *data, size_t len, int side, VipsImage **out) {
  if (load(format, data, len, out)) return -1;
  int longer = VIPS_MAX((*out)->Xsize, (*out)->Ysize);
  int shrink = 1;
  while (shrink < 8 && longer / (2 * shrink) >= 1.5 * side) shrink *= 2;
  if (shrink == 1 || (format != PIX_JPEG && format != PIX_WEBP)) return 0;
  V.g_object_unref(*out);
  *out = NULL;
  if (format == PIX_JPEG)
    return V.vips_jpegload_buffer((void *)data, len, out, "access", VIPS_ACCESS_SEQUENTIAL, "shrink", shrink,
                                  "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
  return V.vips_webpload_buffer((void *)data, len, out, "access", VIPS_ACCESS_SEQUENTIAL, "scale", 1.0 / shrink,
                                "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
}

int pix_thumbnail(pix_brake *b, int format, int orientation, const void *data, size_t len, int side, VipsImage **out) {
  VipsImage *t[7] = {0};
  if (load_small(format, data, len, side, &t[0])) PIX_DONE(t, 7, -1);
  double scale = (double)side / VIPS_MAX(t[0]->Xsize, t[0]->Ysize);
  int err;
  if (scale >= 1) {
    err = pix_plain(t[0], &t[6]);
  } else if (t[0]->BandFmt == VIPS_FORMAT_UCHAR && (t[0]->Bands == 1 || t[0]->Bands == 3)) {
    // Fewer pixels first: colour conversion costs more than resampling.
    err = V.vips_resize(t[0], &t[1], scale, NULL) || pix_plain(t[1], &t[6]);
  } else {
    err = pix_plain(t[0], &t[1]);
    if (!err && t[1]->Bands == 4)
      err = V.vips_premultiply(t[1], &t[2], NULL) || V.vips_resize(t[2], &t[3], scale, NULL) ||
            V.vips_unpremultiply(t[3], &t[4], NULL) || V.vips_cast(t[4], &t[6], VIPS_FORMAT_UCHAR, NULL);
    else
      err = err || V.vips_resize(t[1], &t[6], scale, NULL);
  }
  err = err || pix_land(b, t[6], orientation, out);
  PIX_DONE(t, 7, err);
}

// bare removes every field of metadata but the colour profile. It needs a copy of the
// image: another holder may still look at the fields.
static void bare(VipsImage *im) {
  char **fields = V.vips_image_get_fields(im);
  for (int i = 0; fields && fields[i]; i++) {
    if (strcmp(fields[i], VIPS_META_ICC_NAME) != 0) V.vips_image_remove(im, fields[i]);
    V.g_free(fields[i]);
  }
  V.g_free(fields);
}

// pix_relay re-encodes a picture as PNG without loss: own depth, own colours and
// profile, upright, and nothing else. What PNG cannot hold (CMYK, floats, Lab) comes
// out as plain sRGB.
int pix_relay(pix_brake *b, int format, int turn, const void *data, size_t len, void **png, size_t *png_len) {
  VipsImage *t[4] = {0};
  if (load(format, data, len, &t[0])) PIX_DONE(t, 4, -1);
  VipsInterpretation s = t[0]->Type;
  int holds = (t[0]->BandFmt == VIPS_FORMAT_UCHAR || t[0]->BandFmt == VIPS_FORMAT_USHORT) && t[0]->Bands <= 4 &&
              (s == VIPS_INTERPRETATION_sRGB || s == VIPS_INTERPRETATION_RGB || s == VIPS_INTERPRETATION_RGB16 ||
               s == VIPS_INTERPRETATION_B_W || s == VIPS_INTERPRETATION_GREY16);
  int err;
  if (!holds || (turn > 1 && t[0]->BandFmt == VIPS_FORMAT_UCHAR)) {
    err = holds ? V.vips_copy(t[0], &t[1], NULL) : pix_plain(t[0], &t[1]);
    err = err || pix_land(b, t[1], turn, &t[2]);
    // Landed pixels carry no fields; the profile belongs to them if they kept their space.
    const void *icc = NULL;
    size_t icc_len = 0;
    if (!err && holds && !V.vips_image_get_blob(t[0], VIPS_META_ICC_NAME, &icc, &icc_len))
      V.vips_image_set_blob_copy(t[2], VIPS_META_ICC_NAME, icc, icc_len);
  } else {
    err = V.vips_autorot(t[0], &t[2], NULL);
  }
  if (err || V.vips_copy(t[2], &t[3], NULL)) PIX_DONE(t, 4, -1);
  bare(t[3]);
  pix_brake_set(b, t[3]);
  err = V.vips_pngsave_buffer(t[3], png, png_len, "compression", 4, NULL);
  pix_brake_set(b, NULL);
  PIX_DONE(t, 4, err || b->pressed ? -1 : 0);
}
