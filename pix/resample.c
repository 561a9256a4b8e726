#include "libvips.h"

#include <math.h>
#include <stdlib.h>

// vips_resize is not used: it enlarges by vips_affine, half an output pixel off, and
// takes bicubic for Lanczos there.

static double sinc(double x) { return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x); }

static double weight(int kernel, double x) {
  x = fabs(x);
  switch (kernel) {
    case PIX_LINEAR: return x < 1 ? 1 - x : 0;
    case PIX_BICUBIC: // Keys (1981), a = -1/2
      return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    default: return x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

void pix_axis_free(pix_axis *a) {
  if (!a) return;
  free(a->start);
  free(a->weights);
  free(a);
}

// One place of the new side: what lies beyond the edge counts as the edge pixel.
static void axis_place(pix_axis *a, int from, int place, int kernel, double ratio) {
  double wide = ratio > 1 ? ratio : 1, centre = (place + 0.5) * ratio - 0.5, sum = 0;
  float *w = a->weights + (size_t)place * a->taps;
  if (kernel == PIX_NEAREST) {
    int at = (int)floor((place + 0.5) * ratio);
    a->start[place] = at < from ? at : from - 1;
    w[0] = 1;
    return;
  }
  double reach = kernel * wide; // the kernels' numbers are their radii
  int low = (int)ceil(centre - reach), high = (int)floor(centre + reach);
  int start = low > 0 ? low : 0;
  if (start > from - a->taps) start = from - a->taps;
  a->start[place] = start;
  for (int k = low; k <= high; k++) sum += weight(kernel, (k - centre) / wide);
  for (int k = low; k <= high; k++) {
    int at = k < 0 ? 0 : k >= from ? from - 1 : k;
    w[at - start] += weight(kernel, (k - centre) / wide) / sum;
  }
}

// pix_axis_new lays pixel centres on pixel centres; to become smaller, the kernel widens.
pix_axis *pix_axis_new(int from, int to, int kernel) {
  double ratio = (double)from / to, wide = ratio > 1 ? ratio : 1;
  pix_axis *a = calloc(1, sizeof *a);
  if (!a) return NULL;
  a->taps = kernel == PIX_NEAREST ? 1 : (int)ceil(2 * kernel * wide) + 1;
  if (a->taps > from) a->taps = from;
  a->start = calloc(to, sizeof *a->start);
  a->weights = calloc((size_t)to * a->taps, sizeof *a->weights);
  if (!a->start || !a->weights) {
    pix_axis_free(a);
    return NULL;
  }
  for (int i = 0; i < to; i++) axis_place(a, from, i, kernel, ratio);
  return a;
}

// down weighs source rows into one. Colour goes in multiplied by its alpha, so that
// what lies under transparent pixels does not bleed.
static void down(VipsImage *in, pix_axis *a, int row, float *restrict sum) {
  enum { block = 2048 }; // stays in the nearest cache
  int bands = in->Bands, n = in->Xsize * bands;
  for (int x0 = 0; x0 < n; x0 += block) {
    int x1 = x0 + block < n ? x0 + block : n;
    for (int i = x0; i < x1; i++) sum[i] = 0;
    for (int t = 0; t < a->taps; t++) {
      float w = a->weights[(size_t)row * a->taps + t];
      const unsigned char *restrict p = (unsigned char *)in->data + (size_t)(a->start[row] + t) * n;
      if (w == 0) continue;
      if (bands % 2) {
        for (int i = x0; i < x1; i++) sum[i] += w * p[i];
      } else {
        // A block holds whole pixels: 2048 is a multiple of 2 and 4.
        for (int i = x0; i < x1; i += bands) {
          float alpha = p[i + bands - 1] * w;
          for (int b = 0; b < bands - 1; b++) sum[i + b] += alpha * p[i + b];
          sum[i + bands - 1] += alpha;
        }
      }
    }
  }
}

static inline unsigned char byte(float v) { return v <= 0 ? 0 : v >= 255 ? 255 : (unsigned char)(v + 0.5f); }

// across is compiled once for each number of bands.
static inline __attribute__((always_inline)) void across(const float *restrict row, pix_axis *a, int width,
                                                         unsigned char *restrict to, const int bands) {
  for (int x = 0; x < width; x++, to += bands) {
    const float *restrict p = row + (size_t)a->start[x] * bands, *restrict w = a->weights + (size_t)x * a->taps;
    float sum[4] = {0};
    for (int t = 0; t < a->taps; t++, p += bands)
      for (int b = 0; b < bands; b++) sum[b] += w[t] * p[b];
    if (bands % 2 == 0) {
      float alpha = sum[bands - 1];
      for (int b = 0; b < bands - 1; b++) sum[b] = alpha > 0.5f ? sum[b] / alpha : 0;
    }
    for (int b = 0; b < bands; b++) to[b] = byte(sum[b]);
  }
}

int pix_resample(VipsImage *in, VipsImage *out, pix_axis *x, pix_axis *y, int top, int rows) {
  float *row = malloc(sizeof *row * in->Xsize * in->Bands);
  if (!row) return -1;
  for (int r = top; r < top + rows; r++) {
    unsigned char *to = (unsigned char *)out->data + (size_t)r * out->Xsize * out->Bands;
    down(in, y, r, row);
    switch (in->Bands) {
      case 1: across(row, x, out->Xsize, to, 1); break;
      case 2: across(row, x, out->Xsize, to, 2); break;
      case 3: across(row, x, out->Xsize, to, 3); break;
      default: across(row, x, out->Xsize, to, 4);
    }
  }
  free(row);
  return 0;
}
