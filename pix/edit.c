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

int pix_resize(pix_brake *b, VipsImage *in, int width, int height, int kernel, VipsImage **out) {
  VipsImage *t[4] = {0};
  double h = (double)width / in->Xsize, v = (double)height / in->Ysize;
  int err;
  if (in->Bands == 2 || in->Bands == 4) {
    // Colour under a transparent pixel must not bleed into its neighbours.
    err = V.vips_premultiply(in, &t[0], NULL) || V.vips_resize(t[0], &t[1], h, "vscale", v, "kernel", kernel, NULL) ||
          V.vips_unpremultiply(t[1], &t[2], NULL) || V.vips_cast(t[2], &t[3], VIPS_FORMAT_UCHAR, NULL);
  } else {
    err = V.vips_resize(in, &t[3], h, "vscale", v, "kernel", kernel, NULL);
  }
  err = err || pix_land(b, t[3], 1, out);
  PIX_DONE(t, 4, err);
}

typedef struct {
  double eps[3];
  int radius;
} pix_guide;

static int box(VipsImage *in, int radius, VipsImage **out) {
  int n = 2 * radius + 1;
  double ones[64];
  for (int i = 0; i < n; i++) ones[i] = 1;
  VipsImage *mask = V.vips_image_new_matrix_from_array(n, 1, ones, n);
  if (!mask) return -1;
  // A matrix image takes its scale, the sum of weights, from the header field.
  VipsImage *t[2] = {0};
  int err = V.vips_convsep(in, &t[0], mask, "precision", VIPS_PRECISION_FLOAT, NULL) ||
            V.vips_linear1(t[0], out, 1.0 / ((double)n * n), 0, NULL);
  V.g_object_unref(mask);
  PIX_DONE(t, 2, err);
}

// keep holds the tiles just made, for pipelines that read one result several times.
static int keep(VipsImage *in, VipsImage **out) {
  return V.vips_tilecache(in, out, "tile_width", in->Xsize, "tile_height", 16, "max_tiles", 24,
                          "access", VIPS_ACCESS_SEQUENTIAL, "threaded", TRUE, NULL);
}

// guide is the guided filter of He, Sun and Tang (2010), the picture its own guide:
// where the local variance is below eps the mean wins, at edges the pixel.
static int guide(VipsImage *y, pix_guide *g, VipsImage **out) {
  VipsImage *t[20] = {0};
  double one[3] = {1, 1, 1};
  int err = V.vips_multiply(y, y, &t[0], NULL) || box(y, g->radius, &t[1]) || keep(t[1], &t[2]) ||
            box(t[0], g->radius, &t[3]) || V.vips_multiply(t[2], t[2], &t[4], NULL) ||
            V.vips_subtract(t[3], t[4], &t[5], NULL) || keep(t[5], &t[6]) ||
            V.vips_linear(t[6], &t[7], one, g->eps, 3, NULL) || V.vips_divide(t[6], t[7], &t[8], NULL) ||
            keep(t[8], &t[9]) || V.vips_multiply(t[9], t[2], &t[10], NULL) ||
            V.vips_subtract(t[2], t[10], &t[11], NULL) || box(t[9], g->radius, &t[12]) ||
            box(t[11], g->radius, &t[13]) || V.vips_multiply(t[12], y, &t[14], NULL) ||
            V.vips_add(t[14], t[13], out, NULL);
  PIX_DONE(t, 20, err);
}

static int smooth(VipsImage *in, void *how, VipsImage **out) {
  // Brightness and two colour differences: colour noise may be smoothed harder.
  static const double apart[9] = {0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312};
  static const double whole[9] = {1, 0, 1.402, 1, -0.344136, -0.714136, 1, 1.772, 0};
  double half[3] = {0.5, 0.5, 0.5}, one[3] = {1, 1, 1};
  VipsImage *t[8] = {0};
  int err = (t[0] = V.vips_image_new_matrix_from_array(3, 3, apart, 9)) == NULL ||
            (t[1] = V.vips_image_new_matrix_from_array(3, 3, whole, 9)) == NULL ||
            V.vips_recomb(in, &t[2], t[0], NULL) || guide(t[2], how, &t[3]) ||
            V.vips_recomb(t[3], &t[4], t[1], NULL) || V.vips_linear(t[4], out, one, half, 3, NULL);
  PIX_DONE(t, 8, err);
}

static int smooth_grey(VipsImage *in, void *how, VipsImage **out) {
  VipsImage *t[3] = {0};
  int err = V.vips_bandjoin2(in, in, &t[0], NULL) || V.vips_bandjoin2(t[0], in, &t[1], NULL) ||
            smooth(t[1], how, &t[2]) || V.vips_extract_band(t[2], out, 0, NULL);
  PIX_DONE(t, 3, err);
}

int pix_smooth(pix_brake *b, VipsImage *in, double luma, double chroma, int radius, VipsImage **out) {
  pix_guide g = {{luma * luma, chroma * chroma, chroma * chroma}, radius};
  return edit(b, in, in->Bands < 3 ? smooth_grey : smooth, &g, out);
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
