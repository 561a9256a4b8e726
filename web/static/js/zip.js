// A ZIP of pictures, made in the browser so that the server never packs anybody's. The
// pictures are stored as they are: they are compressed already.

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = table[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

// Little-endian fields: [bytes, value] pairs.
function fields(...pairs) {
  const bytes = new Uint8Array(pairs.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of pairs) {
    if (width === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += width;
  }
  return bytes;
}

/** Packs [{name, blob}] one at a time; only one picture's bytes are in memory at once. */
export async function zip(files) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const { name, blob } of files) {
    const title = new TextEncoder().encode(name);
    const sum = crc32(new Uint8Array(await blob.arrayBuffer()));
    // Version 2.0, UTF-8 names, stored; 1980-01-01, because the moment is nobody's business.
    const common = [[2, 20], [2, 0x0800], [2, 0], [2, 0], [2, 0x21], [4, sum], [4, blob.size], [4, blob.size], [2, title.length], [2, 0]];
    const head = fields([4, 0x04034b50], ...common);
    directory.push(fields([4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]), title);
    parts.push(head, title, blob);
    at += head.length + title.length + blob.size;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, at], [2, 0]);
  return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}
