#include "libvips.h"

// Edits keep alpha as it is and work on colour alone.
typedef int (*pix_edit)(VipsImage *colour, void *how, VipsImage **out);

// edit runs one change of colour behind a gate that the brake can close: the input is
// shared, so its own kill flag must stay untouched.
static int edit(pix_brake *b, VipsImage *in, pix_edit change, void *how, VipsImage **out) {
  VipsImage *t[6] = {0};
  int colours = in->Bands < 3 ? 1 : 3;
  int err = V.vips_extract_band(in, &t[0], 0, "n", colours, NULL) || change(t[0], how, &t[1]) ||
            V.vips_cast(t[1], &t[2], VIPS_FORMAT_UCHAR, NULL);
  if (!err && in->Bands > colours)
    err = V.vips_extract_band(in, &t[3], colours, NULL) || V.vips_bandjoin2(t[2], t[3], &t[4], NULL);
  else if (!err)
    err = V.vips_copy(t[2], &t[4], NULL);
  err = err || pix_land(b, t[4], 1, out);
  PIX_DONE(t, 6, err);
}

typedef struct {
  double sigma, amount;
} pix_edge;

static int sharpen(VipsImage *in, void *how, VipsImage **out) {
  pix_edge *e = how;
  VipsImage *t[2] = {0};
  int err = V.vips_sharpen(in, &t[0], "sigma", e->sigma, "x1", 1.0, "y2", 20.0, "y3", 25.0,
                           "m1", 0.0, "m2", e->amount, NULL) ||
            V.vips_colourspace(t[0], out, in->Bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, NULL);
  PIX_DONE(t, 2, err);
}

int pix_sharpen(pix_brake *b, VipsImage *in, double sigma, double amount, VipsImage **out) {
  pix_edge e = {sigma, amount};
  return edit(b, in, sharpen, &e, out);
}

static int curve(VipsImage *in, void *how, VipsImage **out) {
  VipsImage *t[1] = {0};
  int err = pix_from_memory(how, 256, 256, 1, 1, &t[0]) || V.vips_maplut(in, out, t[0], NULL);
  PIX_DONE(t, 1, err);
}

int pix_curve(pix_brake *b, VipsImage *in, const unsigned char *lut, VipsImage **out) {
  return edit(b, in, curve, (void *)lut, out);
}

static int mix(VipsImage *in, void *how, VipsImage **out) {
  double one[3] = {1, 1, 1}, half[3] = {0.5, 0.5, 0.5};
  VipsImage *t[2] = {0};
  int err = (t[0] = V.vips_image_new_matrix_from_array(3, 3, how, 9)) == NULL ||
            V.vips_recomb(in, &t[1], t[0], NULL) || V.vips_linear(t[1], out, one, half, 3, NULL);
  PIX_DONE(t, 2, err);
}

int pix_mix(pix_brake *b, VipsImage *in, const double *matrix, VipsImage **out) {
  return edit(b, in, mix, (void *)matrix, out);
}
