#include "libvips.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct pix_vips V;

// pix_open binds libvips. It returns NULL, or the loader's words; they stay valid
// until the next dl call of this thread.
const char *pix_open(const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  if (!handle) return dlerror();
#define PIX_BIND(name)                                                         \
  if (!(V.name = (__typeof__(name) *)dlsym(handle, #name)))                    \
    return "libvips lacks the function " #name;
  PIX_SYMBOLS(PIX_BIND)
  return NULL;
}

// The environment is set before vips_init, which reads it: a picture must never spill
// to disk in clear, and warnings of decoders have no place on stderr.
int pix_start(int threads) {
  setenv("VIPS_DISC_THRESHOLD", "1000000g", 1);
  setenv("VIPS_WARNING", "1", 1);
  if (V.vips_init("musa")) return -1;
  V.vips_block_untrusted_set(TRUE);
  // Cached operations would keep pixels of people alive after their work is done.
  V.vips_cache_set_max(0);
  V.vips_cache_set_max_mem(0);
  if (threads > 0) V.vips_concurrency_set(threads);
  return 0;
}

int pix_has(const char *operation) {
  return V.vips_type_find("VipsOperation", operation) != 0;
}

char *pix_error(void) { return V.vips_error_buffer_copy(); }

static void brake_lock(pix_brake *b) {
  while (__atomic_exchange_n(&b->lock, 1, __ATOMIC_ACQUIRE)) {
  }
}

static void brake_unlock(pix_brake *b) { __atomic_store_n(&b->lock, 0, __ATOMIC_RELEASE); }

void pix_brake_press(pix_brake *b) {
  brake_lock(b);
  b->pressed = 1;
  if (b->gate) V.vips_image_set_kill(b->gate, TRUE);
  brake_unlock(b);
}

void pix_brake_set(pix_brake *b, VipsImage *gate) {
  brake_lock(b);
  b->gate = gate;
  if (gate && b->pressed) V.vips_image_set_kill(gate, TRUE);
  brake_unlock(b);
}

int pix_blank(int width, int height, int bands, VipsImage **out) {
  VipsImage *im = V.vips_image_new_memory();
  if (!im) return -1;
  VipsInterpretation space = bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  V.vips_image_init_fields(im, width, height, bands, VIPS_FORMAT_UCHAR, VIPS_CODING_NONE, space, 1, 1);
  if (V.vips_image_write_prepare(im)) {
    V.g_object_unref(im);
    return -1;
  }
  *out = im;
  return 0;
}

int pix_from_memory(const void *data, size_t len, int width, int height, int bands, VipsImage **out) {
  VipsImage *im;
  if (pix_blank(width, height, bands, &im)) return -1;
  memcpy(im->data, data, len);
  *out = im;
  return 0;
}

// A landing is where decoded strips come down: the finished picture, turned upright
// on the way, so that a turned picture needs no second copy.
typedef struct {
  VipsImage *to;
  int orientation;
  int width, height; // of the source
} pix_landing;

static unsigned char *landing_at(pix_landing *l, int x, int y) {
  int W = l->width, H = l->height, dx = x, dy = y;
  switch (l->orientation) {
    case 2: dx = W - 1 - x; break;
    case 3: dx = W - 1 - x; dy = H - 1 - y; break;
    case 4: dy = H - 1 - y; break;
    case 5: dx = y; dy = x; break;
    case 6: dx = H - 1 - y; dy = x; break;
    case 7: dx = H - 1 - y; dy = W - 1 - x; break;
    case 8: dx = y; dy = W - 1 - x; break;
  }
  return (unsigned char *)l->to->data + ((size_t)dy * l->to->Xsize + dx) * l->to->Bands;
}

// region_at does what VIPS_REGION_ADDR does, without its hidden call into the library.
static unsigned char *region_at(VipsRegion *r, int x, int y) {
  return r->data + (size_t)(y - r->valid.top) * r->bpl + (size_t)(x - r->valid.left) * r->im->Bands;
}

static int landing_write(VipsRegion *region, VipsRect *area, void *a) {
  pix_landing *l = a;
  int n = l->to->Bands;
  if (l->orientation <= 1) {
    for (int y = area->top; y < area->top + area->height; y++)
      memcpy(landing_at(l, area->left, y), region_at(region, area->left, y), (size_t)area->width * n);
    return 0;
  }
  // Columns outside, so that a turned picture is written along its rows.
  for (int x = area->left; x < area->left + area->width; x++)
    for (int y = area->top; y < area->top + area->height; y++)
      memcpy(landing_at(l, x, y), region_at(region, x, y), n);
  return 0;
}

int pix_land(pix_brake *b, VipsImage *in, int orientation, VipsImage **out) {
  int turned = orientation >= 5 && orientation <= 8;
  VipsImage *to;
  if (pix_blank(turned ? in->Ysize : in->Xsize, turned ? in->Xsize : in->Ysize, in->Bands, &to)) return -1;
  pix_landing l = {to, orientation, in->Xsize, in->Ysize};
  pix_brake_set(b, in);
  int err = V.vips_sink_disc(in, landing_write, &l);
  pix_brake_set(b, NULL);
  if (err || b->pressed) {
    V.g_object_unref(to);
    return -1;
  }
  *out = to;
  return 0;
}

void pix_stop(void) { V.vips_shutdown(); }
const char *pix_version(void) { return V.vips_version_string(); }
size_t pix_memory(void) { return V.vips_tracked_get_mem(); }
size_t pix_memory_peak(void) { return V.vips_tracked_get_mem_highwater(); }
void pix_free(void *p) { V.g_free(p); }
void pix_ref(VipsImage *im) { (V.g_object_ref)(im); } // glib has a macro of that name
void pix_unref(VipsImage *im) { V.g_object_unref(im); }
