#include "libvips.h"

#include <stdlib.h>

// The guided filter of He, Sun and Tang (2010), the picture its own guide: where the
// local variance is below eps the mean wins, at edges the pixel. It runs tile by tile,
// so that the planes between the two box filters stay in the processor's cache.
enum {
  R = 3,           // radius of a box
  SPAN = 2 * R + 1,
  MARGIN = 2 * R,  // two boxes in a row look this far
  WIDE = 256,      // tile
  TALL = PIX_SMOOTH_ROWS,
  PLANE_W = WIDE + 2 * MARGIN,
  PLANE_H = TALL + 2 * MARGIN,
  FIT_W = WIDE + 2 * R,
  FIT_H = TALL + 2 * R,
};

typedef struct {
  float plane[3][PLANE_H][PLANE_W]; // brightness and two colour differences, or grey alone
  float gain[FIT_H][FIT_W], bias[FIT_H][FIT_W];
  float sum[2][PLANE_W];
} tile;

static int clip(int v, int size) { return v < 0 ? 0 : v >= size ? size - 1 : v; }

// lift fills the planes. The picture goes on beyond its edges with their pixels.
static void lift(tile *t, VipsImage *in, int left, int top, int rows) {
  for (int y = 0; y < rows + 2 * MARGIN; y++) {
    const unsigned char *line =
        (unsigned char *)in->data + (size_t)clip(top + y - MARGIN, in->Ysize) * in->Xsize * in->Bands;
    for (int x = 0; x < PLANE_W; x++) {
      const unsigned char *p = line + (size_t)clip(left + x - MARGIN, in->Xsize) * in->Bands;
      if (in->Bands < 3) {
        t->plane[0][y][x] = p[0] - 128.0f;
        continue;
      }
      float r = p[0], g = p[1], b = p[2], luma = 0.299f * r + 0.587f * g + 0.114f * b;
      t->plane[0][y][x] = luma - 128; // small numbers keep the variance exact
      t->plane[1][y][x] = (b - luma) * 0.564334f;
      t->plane[2][y][x] = (r - luma) * 0.713267f;
    }
  }
}

static inline float box(const float *p) { return p[0] + p[1] + p[2] + p[3] + p[4] + p[5] + p[6]; }

// fit finds, around each pixel, the straight line that the guided filter averages.
static void fit(tile *t, float (*restrict p)[PLANE_W], float eps, int rows) {
  float *restrict s = t->sum[0], *restrict q = t->sum[1];
  const float share = 1.0f / (SPAN * SPAN);
  for (int x = 0; x < PLANE_W; x++) s[x] = q[x] = 0;
  for (int y = 0; y < SPAN - 1; y++)
    for (int x = 0; x < PLANE_W; x++) s[x] += p[y][x], q[x] += p[y][x] * p[y][x];
  for (int y = 0; y < rows + 2 * R; y++) {
    const float *restrict in = p[y + SPAN - 1], *restrict gone = p[y];
    float *restrict gain = t->gain[y], *restrict bias = t->bias[y];
    for (int x = 0; x < PLANE_W; x++) s[x] += in[x], q[x] += in[x] * in[x];
    for (int x = 0; x < FIT_W; x++) {
      float mean = box(s + x) * share, variance = box(q + x) * share - mean * mean;
      variance = variance > 0 ? variance : 0;
      gain[x] = variance / (variance + eps);
      bias[x] = mean - gain[x] * mean;
    }
    for (int x = 0; x < PLANE_W; x++) s[x] -= gone[x], q[x] -= gone[x] * gone[x];
  }
}

// settle averages the lines and writes the smoothed values over the plane's middle.
static void settle(tile *t, float (*restrict p)[PLANE_W], int rows) {
  float *restrict s = t->sum[0], *restrict q = t->sum[1];
  const float share = 1.0f / (SPAN * SPAN);
  for (int x = 0; x < FIT_W; x++) s[x] = q[x] = 0;
  for (int y = 0; y < SPAN - 1; y++)
    for (int x = 0; x < FIT_W; x++) s[x] += t->gain[y][x], q[x] += t->bias[y][x];
  for (int y = 0; y < rows; y++) {
    const float *restrict gain = t->gain[y + SPAN - 1], *restrict bias = t->bias[y + SPAN - 1];
    const float *restrict oldgain = t->gain[y], *restrict oldbias = t->bias[y];
    float *restrict out = p[y + MARGIN] + MARGIN;
    for (int x = 0; x < FIT_W; x++) s[x] += gain[x], q[x] += bias[x];
    for (int x = 0; x < WIDE; x++) out[x] = (box(s + x) * out[x] + box(q + x)) * share;
    for (int x = 0; x < FIT_W; x++) s[x] -= oldgain[x], q[x] -= oldbias[x];
  }
}

static inline unsigned char byte(float v) { return v <= 0 ? 0 : v >= 255 ? 255 : (unsigned char)(v + 0.5f); }

static void lower(tile *t, VipsImage *in, VipsImage *out, int left, int top, int rows) {
  int bands = in->Bands, width = in->Xsize - left < WIDE ? in->Xsize - left : WIDE;
  for (int y = 0; y < rows; y++) {
    size_t at = ((size_t)(top + y) * in->Xsize + left) * bands;
    const unsigned char *from = (unsigned char *)in->data + at;
    unsigned char *to = (unsigned char *)out->data + at;
    const float *l = t->plane[0][y + MARGIN] + MARGIN, *b = t->plane[1][y + MARGIN] + MARGIN,
                *r = t->plane[2][y + MARGIN] + MARGIN;
    for (int x = 0; x < width; x++, from += bands, to += bands) {
      float luma = l[x] + 128;
      to[0] = byte(luma);
      if (bands > 2) {
        to[0] = byte(luma + 1.402f * r[x]);
        to[1] = byte(luma - 0.344136f * b[x] - 0.714136f * r[x]);
        to[2] = byte(luma + 1.772f * b[x]);
      }
      if (bands % 2 == 0) to[bands - 1] = from[bands - 1];
    }
  }
}

int pix_smooth(VipsImage *in, VipsImage *out, double luma, double chroma, int top, int rows) {
  tile *t = malloc(sizeof *t);
  if (!t || rows > TALL) {
    free(t);
    return -1;
  }
  for (int left = 0; left < in->Xsize; left += WIDE) {
    lift(t, in, left, top, rows);
    for (int c = 0; c < (in->Bands < 3 ? 1 : 3); c++) {
      double deviation = c == 0 ? luma : chroma;
      fit(t, t->plane[c], deviation * deviation, rows);
      settle(t, t->plane[c], rows);
    }
    lower(t, in, out, left, top, rows);
  }
  free(t);
  return 0;
}
