"use strict";
/* Decoding of the page's pixels, and color maps. Independent of the user interface. */

const MU = 5000;
const LUMA = [0.2126, 0.7152, 0.0722];
const FALSE_LOW = -8,
  FALSE_HIGH = 6;

/* The value of every half float, by its bit pattern. */
const HALF = new Float32Array(65536);
for (let bits = 0; bits < 65536; bits++) {
  const exponent = (bits >> 10) & 31,
    fraction = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24;
  HALF[bits] = bits & 0x8000 ? -size : size;
}

/* One <script data-plane> to {width, height, channels, bits}: half floats, channel after channel. */
async function decodePlane(element) {
  const [height, width, channels] = element.dataset.shape.split(" ").map(Number);
  const packed = new Blob([bytesOf(element.textContent)]).stream();
  const unpacked = packed.pipeThrough(new DecompressionStream("deflate"));
  const split = new Uint8Array(await new Response(unpacked).arrayBuffer());
  const count = split.length / 2,
    bits = new Uint16Array(count);
  for (let start = 0; start < count; start += width) {
    let sum = 0;
    for (let i = start; i < start + width; i++) {
      sum = (sum + (split[i] << 8) + split[i + count]) & 0xffff;
      bits[i] = sum;
    }
  }
  return { width, height, channels, bits };
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64),
    bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/* The three values of a plane at one pixel (fewer channels: fewer values). */
function valuesAt(plane, x, y) {
  const size = plane.width * plane.height,
    at = y * plane.width + x;
  return Array.from({ length: plane.channels }, (_, channel) => HALF[plane.bits[channel * size + at]]);
}

function luminance(rgb) {
  return LUMA[0] * rgb[0] + LUMA[1] * rgb[1] + LUMA[2] * rgb[2];
}

/* A canvas pixel: opaque unless stated. */
function packed(red, green, blue, alpha = 255) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/* Display code 0-255 of every half float: 2^stops times the value, clipped, on the sRGB curve. */
function displayTable(stops) {
  const gain = 2 ** stops,
    table = new Uint8Array(65536);
  for (let bits = 0; bits < 0x7c00; bits++) table[bits] = displayCode(HALF[bits] * gain);
  return table;
}

function displayCode(light) {
  if (light >= 1) return 255;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
}

/* The mu-law of every half float, scaled so that `white` is 1, clipped to 0 and `most`. */
function toneTable(white, most = Infinity) {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 0x7c00; bits++) {
    table[bits] = Math.log1p((MU * Math.min(most, HALF[bits])) / white) / Math.log1p(MU);
  }
  return table;
}

/* 256 canvas pixels from evenly spaced colors. */
function ramp(colors) {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (colors.length - 1),
      low = Math.min(Math.floor(place), colors.length - 2);
    const mix = [0, 1, 2].map((c) => colors[low][c] + (place - low) * (colors[low + 1][c] - colors[low][c]));
    return packed(...mix.map(Math.round));
  });
}

/* Perceptually uniform colors from black over red and orange to pale yellow. */
const HEAT = ramp([
  [0, 0, 4],
  [31, 12, 72],
  [85, 15, 109],
  [136, 34, 106],
  [186, 54, 85],
  [227, 89, 51],
  [249, 140, 10],
  [249, 201, 50],
  [252, 255, 164],
]);

/* One color per stop: blue deep shadow, gray middle gray (2.5 stops below 1), yellow to red highlights. */
const FALSE_COLORS = [
  [44, 20, 80],
  [58, 40, 132],
  [54, 74, 172],
  [50, 116, 190],
  [58, 152, 178],
  [110, 136, 136],
  [128, 150, 96],
  [106, 176, 74],
  [178, 196, 66],
  [236, 206, 60],
  [244, 164, 48],
  [234, 114, 44],
  [214, 62, 48],
  [236, 92, 140],
];
const FALSE_BELOW = packed(12, 10, 20),
  FALSE_ABOVE = packed(255, 255, 255);
const FALSE_PIXELS = FALSE_COLORS.map((color) => packed(...color));

function paintPicture(out, plane, table) {
  const size = plane.width * plane.height,
    { bits } = plane;
  for (let i = 0; i < size; i++) {
    out[i] = 0xff000000 | (table[bits[i + 2 * size]] << 16) | (table[bits[i + size]] << 8) | table[bits[i]];
  }
}

/* The exponent of a single float is its stops, rounded down. */
function paintFalseColor(out, plane) {
  const size = plane.width * plane.height,
    { bits } = plane;
  const single = new Float32Array(1),
    exponent = new Int32Array(single.buffer);
  for (let i = 0; i < size; i++) {
    const light = LUMA[0] * HALF[bits[i]] + LUMA[1] * HALF[bits[i + size]] + LUMA[2] * HALF[bits[i + 2 * size]];
    single[0] = light > 0 ? light : 0;
    const band = (exponent[0] >> 23) - 127 - FALSE_LOW;
    if (band < 0) out[i] = FALSE_BELOW;
    else out[i] = band < FALSE_PIXELS.length ? FALSE_PIXELS[band] : FALSE_ABOVE;
  }
}

/* Mean over channels of the absolute difference of mu-law values (one table each); `range` maps to the brightest color. */
function paintDifference(out, [one, tones], [other, otherTones], range) {
  const size = one.width * one.height,
    a = one.bits,
    b = other.bits,
    scale = 255 / 3 / range;
  for (let i = 0; i < size; i++) {
    const sum =
      Math.abs(tones[a[i]] - otherTones[b[i]]) +
      Math.abs(tones[a[i + size]] - otherTones[b[i + size]]) +
      Math.abs(tones[a[i + 2 * size]] - otherTones[b[i + 2 * size]]);
    out[i] = HEAT[Math.min(255, Math.round(sum * scale))];
  }
}

/* Flow as the Middlebury benchmark shows it: hue is the direction (x right, y down), white is no motion. */
const HUES = [0, 15, 21, 25, 36, 49, 55];
const INKS = [
  [1, 0, 0],
  [1, 1, 0],
  [0, 1, 0],
  [0, 1, 1],
  [0, 0, 1],
  [1, 0, 1],
  [1, 0, 0],
];

function flowColor(x, y, fastest) {
  const speed = Math.hypot(x, y) / fastest;
  const turn = ((Math.atan2(y, x) / (2 * Math.PI) + 1) % 1) * HUES[6];
  let low = 0;
  while (turn >= HUES[low + 1]) low++;
  const share = (turn - HUES[low]) / (HUES[low + 1] - HUES[low]);
  return packed(
    ...[0, 1, 2].map((c) => {
      const hue = INKS[low][c] + share * (INKS[low + 1][c] - INKS[low][c]);
      return Math.round(255 * (speed <= 1 ? 1 - speed * (1 - hue) : 0.75 * hue));
    }),
  );
}

/* Flows are drawn from a table of 256 x 256 directions and speeds: visually equal, and faster. */
function paintFlow(out, plane, fastest) {
  const size = plane.width * plane.height,
    { bits } = plane,
    table = new Uint32Array(65536);
  const step = (2.5 * fastest) / 256;
  for (let i = 0; i < 65536; i++) table[i] = flowColor(((i & 255) - 128) * step, ((i >> 8) - 128) * step, fastest);
  const level = (value) => Math.max(0, Math.min(255, Math.round(value / step) + 128));
  for (let i = 0; i < size; i++) out[i] = table[level(HALF[bits[i]]) | (level(HALF[bits[i + size]]) << 8)];
}

/* A mask in red, with the mask as opacity. */
function paintMask(out, plane) {
  const size = plane.width * plane.height,
    { bits } = plane;
  for (let i = 0; i < size; i++)
    out[i] = packed(255, 45, 40, Math.round(255 * Math.max(0, Math.min(1, HALF[bits[i]]))));
}
