// QR codes (ISO/IEC 18004), byte mode, level M, as SVG. Made here: the secret in one goes
// nowhere else.

import { svg } from './dom.js';

// Per version from 1 on, at level M: words of correction per block, blocks of the first and
// the second group with their words of data. Version 10 holds 213 bytes.
const plans = [
  [10, [1, 16]], [16, [1, 28]], [26, [1, 44]], [18, [2, 32]], [24, [2, 43]], [16, [4, 27]],
  [18, [4, 31]], [22, [2, 38], [2, 39]], [22, [3, 36], [2, 37]], [26, [4, 43], [1, 44]],
];
const centres = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];

/** A code of the text, with words for who does not see it. Dark on light in both themes. */
export function qr(text, words) {
  const grid = draw(new TextEncoder().encode(text));
  const side = grid.length + 8;
  let path = '';
  grid.forEach((row, y) => row.forEach((dark, x) => {
    if (dark) path += `M${x + 4} ${y + 4}h1v1h-1z`;
  }));
  return svg('svg', { viewBox: `0 0 ${side} ${side}`, role: 'img', 'aria-label': words, class: 'qr' },
    svg('rect', { width: side, height: side, fill: '#fff' }), svg('path', { d: path, fill: '#000' }));
}

/** The modules of the smallest code that holds the bytes, true for dark. */
export function draw(bytes) {
  const version = plans.findIndex((plan, i) => capacity(plan) >= bytes.length + (i < 9 ? 2 : 3)) + 1;
  if (!version) throw new RangeError('too long for a code');
  const words = protect(pack(bytes, version), plans[version - 1]);
  let best = null;
  for (let mask = 0; mask < 8; mask += 1) {
    const grid = place(version, words, mask);
    const cost = penalty(grid);
    if (!best || cost < best.cost) best = { grid, cost };
  }
  return best.grid;
}

function capacity([, ...groups]) {
  return groups.reduce((sum, [blocks, data]) => sum + blocks * data, 0);
}

function pack(bytes, version) {
  const bits = [];
  const put = (value, n) => {
    for (let i = n - 1; i >= 0; i -= 1) bits.push((value >> i) & 1);
  };
  const whole = capacity(plans[version - 1]);
  put(4, 4); // byte mode
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, whole * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  const words = [];
  for (let i = 0; i < bits.length; i += 8) words.push(parseInt(bits.slice(i, i + 8).join(''), 2));
  for (let pad = 0xec; words.length < whole; pad ^= 0xfd) words.push(pad);
  return words;
}

// The field GF(256) with x⁸+x⁴+x³+x²+1.
const exp = new Uint8Array(512);
const log = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i += 1) {
  exp[i] = x;
  exp[i + 255] = x;
  log[x] = i;
  x = (x << 1) ^ (x & 128 ? 0x11d : 0);
}

function times(a, b) {
  return a && b ? exp[log[a] + log[b]] : 0;
}

/** The words that correct a block: the remainder of the division by the generator. */
function correction(data, degree) {
  let generator = [1];
  for (let i = 0; i < degree; i += 1) {
    const next = [...generator, 0];
    generator.forEach((c, j) => {
      next[j + 1] ^= times(c, exp[i]);
    });
    generator = next;
  }
  const rest = [...data, ...new Array(degree).fill(0)];
  for (let i = 0; i < data.length; i += 1) {
    const factor = rest[i];
    generator.forEach((c, j) => {
      rest[i + j] ^= times(c, factor);
    });
  }
  return rest.slice(data.length);
}

/** Splits into blocks, corrects each, and deals the words out in turn. */
function protect(words, [degree, ...groups]) {
  const blocks = [];
  let at = 0;
  for (const [count, size] of groups) {
    for (let i = 0; i < count; i += 1) {
      blocks.push(words.slice(at, at + size));
      at += size;
    }
  }
  const corrections = blocks.map((block) => correction(block, degree));
  const out = [];
  for (const list of [blocks, corrections]) {
    for (let i = 0; i < Math.max(...list.map((block) => block.length)); i += 1) {
      for (const block of list) if (i < block.length) out.push(block[i]);
    }
  }
  return out;
}

const masks = [
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2, (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

function place(version, words, mask) {
  const side = 17 + 4 * version;
  const grid = Array.from({ length: side }, () => new Array(side).fill(null));
  const set = (x, y, dark) => {
    if (x >= 0 && y >= 0 && x < side && y < side) grid[y][x] = Boolean(dark);
  };
  for (const [cx, cy] of [[3, 3], [side - 4, 3], [3, side - 4]]) {
    for (let dy = -4; dy <= 4; dy += 1) {
      for (let dx = -4; dx <= 4; dx += 1) {
        const far = Math.max(Math.abs(dx), Math.abs(dy));
        set(cx + dx, cy + dy, far !== 2 && far !== 4);
      }
    }
  }
  const middles = centres[version - 1];
  for (const cy of middles) {
    for (const cx of middles) {
      if (grid[cy][cx] !== null) continue;
      for (let dy = -2; dy <= 2; dy += 1) for (let dx = -2; dx <= 2; dx += 1) set(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    }
  }
  for (let i = 8; i < side - 8; i += 1) {
    set(i, 6, i % 2 === 0);
    set(6, i, i % 2 === 0);
  }
  describe(set, side, version, mask);
  let n = 0;
  for (let right = side - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < side; step += 1) {
      const y = (right + 1) & 2 ? step : side - 1 - step; // down one pair of columns, up the next
      for (const x of [right, right - 1]) {
        if (grid[y][x] !== null) continue;
        const bit = n < words.length * 8 && (words[n >> 3] >> (7 - (n & 7))) & 1;
        n += 1;
        grid[y][x] = Boolean(bit) !== (masks[mask](x, y) === 0);
      }
    }
  }
  return grid;
}

/** Level, mask and version, each with its own correction. */
function describe(set, side, version, mask) {
  let rest = mask; // level M is 00
  for (let i = 0; i < 10; i += 1) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  const format = ((mask << 10) | rest) ^ 0x5412;
  const bit = (i) => (format >> i) & 1;
  for (let i = 0; i <= 5; i += 1) set(8, i, bit(i));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let i = 9; i < 15; i += 1) set(14 - i, 8, bit(i));
  for (let i = 0; i < 8; i += 1) set(side - 1 - i, 8, bit(i));
  for (let i = 8; i < 15; i += 1) set(8, side - 15 + i, bit(i));
  set(8, side - 8, true);
  if (version < 7) return;
  rest = version;
  for (let i = 0; i < 12; i += 1) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  const number = (version << 12) | rest;
  for (let i = 0; i < 18; i += 1) {
    const dark = (number >> i) & 1;
    set(side - 11 + (i % 3), Math.floor(i / 3), dark);
    set(Math.floor(i / 3), side - 11 + (i % 3), dark);
  }
}

/** How hard a code is to read: long runs, squares of one colour, and an uneven share of dark. */
function penalty(grid) {
  const side = grid.length;
  let cost = 0;
  let dark = 0;
  for (const line of [...grid, ...grid.map((_, x) => grid.map((row) => row[x]))]) {
    let run = 0;
    line.forEach((cell, i) => {
      run = i && cell === line[i - 1] ? run + 1 : 1;
      if (run === 5) cost += 3;
      if (run > 5) cost += 1;
    });
  }
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      dark += grid[y][x] ? 1 : 0;
      if (x && y && grid[y][x] === grid[y][x - 1] && grid[y][x] === grid[y - 1][x] && grid[y][x] === grid[y - 1][x - 1]) cost += 3;
    }
  }
  return cost + 10 * Math.floor(Math.abs((dark * 20) / (side * side) - 10));
}
