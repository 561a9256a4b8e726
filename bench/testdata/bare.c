// The thumbnail that libvips makes by itself, written and fsynced: the peer of
// BenchmarkThumbnail. Usage: bare FILE TIMES OUT; prints microseconds per thumbnail.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <vips/vips.h>

int main(int argc, char **argv) {
  if (argc != 4 || VIPS_INIT(argv[0])) return 2;
  vips_cache_set_max(0);
  gsize len;
  char *data;
  if (!g_file_get_contents(argv[1], &data, &len, NULL)) return 2;
  int times = atoi(argv[2]);
  gint64 began = g_get_monotonic_time();
  for (int k = 0; k < times; k++) {
    VipsImage *im;
    void *out;
    size_t out_len;
    if (vips_thumbnail_buffer(data, len, &im, 512, "height", 512, NULL) ||
        vips_webpsave_buffer(im, &out, &out_len, "Q", 80, "strip", TRUE, NULL))
      return 1;
    char name[4096];
    snprintf(name, sizeof name, "%s-%d-%d", argv[3], (int)getpid(), k);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, out, out_len) != (ssize_t)out_len || fsync(fd) || close(fd)) return 1;
    g_free(out);
    g_object_unref(im);
  }
  printf("%.0f\n", (double)(g_get_monotonic_time() - began) / times);
  return 0;
}
