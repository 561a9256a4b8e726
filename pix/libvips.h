// The C side of the binding: whole pipelines, each one call from Go, so that no
// pointer to Go memory outlives its call.
//
// libvips is opened at run time, not linked: without it the program still starts and
// can say in plain words what to install. Its headers are needed to build.

#ifndef PIX_LIBVIPS_H
#define PIX_LIBVIPS_H

#include <vips/vips.h>

#define PIX_SYMBOLS(X)                                                         \
  X(g_free) X(g_object_ref) X(g_object_unref)                                   \
  X(vips_init) X(vips_shutdown) X(vips_version_string)          \
  X(vips_type_find) X(vips_block_untrusted_set) X(vips_concurrency_set)        \
  X(vips_cache_set_max) X(vips_cache_set_max_mem)       \
  X(vips_error_buffer_copy) X(vips_tracked_get_mem_highwater)                  \
  X(vips_tracked_get_mem) X(vips_image_set_kill) X(vips_sink_disc)             \
  X(vips_image_new_memory) X(vips_image_init_fields)                           \
  X(vips_image_write_prepare)                \
  X(vips_image_new_matrix_from_array)            \
  X(vips_image_get_n_pages) X(vips_image_get_typeof) X(vips_image_hasalpha)    \
  X(vips_image_set_blob_copy) X(vips_image_get_blob) X(vips_image_get_fields) X(vips_image_remove)    \
  X(vips_enum_nick) X(vips_interpretation_get_type)                            \
  X(vips_jpegload_buffer) X(vips_pngload_buffer) X(vips_webpload_buffer)       \
  X(vips_gifload_buffer) X(vips_tiffload_buffer) X(vips_heifload_buffer)       \
  X(vips_jpegsave_buffer) X(vips_pngsave_buffer) X(vips_webpsave_buffer)       \
  X(vips_heifsave_buffer) X(vips_copy) X(vips_cast)   \
  X(vips_extract_band) X(vips_bandjoin2)                       \
  X(vips_icc_transform) X(vips_colourspace) X(vips_linear) X(vips_linear1)     \
  X(vips_resize) X(vips_premultiply) X(vips_unpremultiply) X(vips_flatten)     \
  X(vips_recomb) \
  X(vips_sharpen) X(vips_maplut)                \
  X(vips_autorot)              \
   X(vips_array_double_new) X(vips_area_unref)

#define PIX_FIELD(name) __typeof__(name) *name;
struct pix_vips {
  PIX_SYMBOLS(PIX_FIELD)
};
extern struct pix_vips V;

// A brake lets another thread stop a running pipeline: `gate` is the image whose kill
// flag the pipeline's threads look at. The spin lock guards gate and pressed.
typedef struct {
  int lock;
  int pressed;
  VipsImage *gate;
} pix_brake;

void pix_brake_press(pix_brake *b);
void pix_brake_set(pix_brake *b, VipsImage *gate);

enum { PIX_JPEG = 1, PIX_PNG, PIX_WEBP, PIX_GIF, PIX_TIFF, PIX_HEIF };

typedef struct {
  int width, height, bands, pages, alpha, depth, icc;
  char space[32];
} pix_head;

// Every function returns 0, or -1 with words in vips' error buffer.
// Out-images are owned by the caller.
const char *pix_open(const char *library);
int pix_start(int threads);
int pix_has(const char *operation);
char *pix_error(void);
void pix_stop(void);
const char *pix_version(void);
size_t pix_memory(void);
size_t pix_memory_peak(void);
void pix_free(void *p);
void pix_ref(VipsImage *im);
void pix_unref(VipsImage *im);

int pix_probe(int format, const void *data, size_t len, pix_head *head);
int pix_drain(pix_brake *b, int format, const void *data, size_t len);
int pix_decode(pix_brake *b, int format, int orientation, const void *data, size_t len, VipsImage **out);
int pix_thumbnail(pix_brake *b, int format, int orientation, const void *data, size_t len, int side, VipsImage **out);
int pix_relay(pix_brake *b, int format, int turn, const void *data, size_t len, void **png, size_t *png_len);

int pix_blank(int width, int height, int bands, VipsImage **out);
int pix_from_memory(const void *data, size_t len, int width, int height, int bands, VipsImage **out);
int pix_land(pix_brake *b, VipsImage *in, int orientation, VipsImage **out);

int pix_sharpen(pix_brake *b, VipsImage *in, double sigma, double amount, VipsImage **out);
int pix_curve(pix_brake *b, VipsImage *in, const unsigned char *lut, VipsImage **out);
int pix_mix(pix_brake *b, VipsImage *in, const double *matrix, VipsImage **out);

// The work on pixels of our own: one call makes rows [top, top + rows) of out, and many
// threads may make different rows at once. -1 is want of memory.
enum { PIX_NEAREST, PIX_LINEAR, PIX_BICUBIC, PIX_LANCZOS }; // radii, too, but for the first
enum { PIX_SMOOTH_ROWS = 64 };                              // at most, of one call

// An axis says, for each place of the new side, which run of old places weighs how much.
typedef struct {
  int taps;
  int *start;
  float *weights;
} pix_axis;

pix_axis *pix_axis_new(int from, int to, int kernel);
void pix_axis_free(pix_axis *a);
int pix_resample(VipsImage *in, VipsImage *out, pix_axis *x, pix_axis *y, int top, int rows);
int pix_smooth(VipsImage *in, VipsImage *out, double luma, double chroma, int top, int rows);

int pix_save_jpeg(pix_brake *b, VipsImage *in, int quality, void **buf, size_t *len);
int pix_save_png(pix_brake *b, VipsImage *in, void **buf, size_t *len);
int pix_save_webp(pix_brake *b, VipsImage *in, int quality, int lossless, void **buf, size_t *len);
int pix_save_avif(pix_brake *b, VipsImage *in, int quality, int lossless, const void *xmp, size_t xmp_len, void **buf, size_t *len);

// PIX_DONE releases what a pipeline made and reports.
#define PIX_DONE(t, n, err)                                                    \
  do {                                                                         \
    for (int pix_i = 0; pix_i < (n); pix_i++)                                  \
      if ((t)[pix_i]) V.g_object_unref((t)[pix_i]);                            \
    return (err);                                                              \
  } while (0)

int pix_plain(VipsImage *in, VipsImage **out);

#endif
