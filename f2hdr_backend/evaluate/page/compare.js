/* The viewer: state, rendering (paint, draw), and controls. */

const facts = JSON.parse(document.getElementById("facts").textContent);
let [WIDTH, HEIGHT] = facts.sizes[0]; /* of the displayed frame */
const VIEWS = { picture: "Picture", false: "False color", difference: "Difference", error: "Error" };
const RANGES = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const NAMES = { truth: "Truth" };
const HAS_TRUTH = facts.sources.some((source) => source.name === "truth");
const PUBLISHED = facts.scores.some((row) => row.metric in facts.published);
const TONES = toneTable(facts.white);
const TRUTH_TONES = toneTable(facts.white, facts.white);

const state = {
  frame: 0,
  left: facts.sources[0].name,
  right: facts.sources[Math.min(1, facts.sources.length - 1)].name,
  view: "picture",
  exposure: 0,
  range: 3,
  overlay: "",
  opacity: 0.7,
  wipe: 0.5,
  scale: 0,
  x: WIDTH / 2,
  y: HEIGHT / 2,
  metric: facts.scores.length ? facts.scores[0].metric : "",
  plot: "",
};
const cursor = { x: -1, y: -1, inside: false };
const $ = (id) => document.getElementById(id);
const stage = $("stage");
const screenCanvas = $("picture");

/* ---- planes: decoded on first use and cached; their text is discarded ---- */

const planes = new Map();

function plane(index, name) {
  const key = `${facts.frames[index]} ${name}`;
  if (!planes.has(key)) {
    const element = document.querySelector(`[data-frame="${facts.frames[index]}"][data-plane="${CSS.escape(name)}"]`);
    if (!element) return Promise.resolve(null);
    planes.set(
      key,
      decodePlane(element).then((decoded) => {
        element.remove();
        planes.set(key, decoded);
        return decoded;
      }),
    );
  }
  return Promise.resolve(planes.get(key));
}

/* A plane if it is decoded, otherwise null. */
function ready(name, index = state.frame) {
  const found = planes.get(`${facts.frames[index]} ${name}`);
  return found instanceof Promise || !found ? null : found;
}

function needed() {
  const names = facts.sources.map((source) => source.name);
  return state.overlay ? [...names, ...overlayPlanes()] : names;
}

function overlayPlanes() {
  return [state.left, state.right].map((side) => `${side}/${state.overlay}`).filter((name) => name in facts.layers);
}

/* Decode missing planes; false if the state changed in the meantime (another refresh then follows). */
async function load() {
  const missing = needed().filter((name) => !ready(name));
  if (missing.length) stage.dataset.state = "loading";
  await Promise.all(missing.map((name) => plane(state.frame, name)));
  return needed().every((name) => ready(name));
}

/* ---- paint: each side of the wipe to a canvas of the picture's size, only after a change ---- */

function makeLayer() {
  const canvas = document.createElement("canvas");
  return { canvas, context: canvas.getContext("2d"), image: null, pixels: null, key: "" };
}

function makeSide() {
  return { picture: makeLayer(), overlay: null };
}
const sides = { left: makeSide(), right: makeSide() };
let display = { stops: null, table: null };

function displayFor(stops) {
  if (display.stops !== stops) display = { stops, table: displayTable(stops) };
  return display.table;
}

function painted(layer, key, paint) {
  if (layer.key !== key) {
    if (layer.image?.width !== WIDTH || layer.image.height !== HEIGHT) {
      Object.assign(layer.canvas, { width: WIDTH, height: HEIGHT });
      layer.image = layer.context.createImageData(WIDTH, HEIGHT);
      layer.pixels = new Uint32Array(layer.image.data.buffer);
    }
    paint(layer.pixels);
    layer.context.putImageData(layer.image, 0, 0);
    layer.key = key;
  }
  return layer;
}

function paintSide(side) {
  const name = state[side],
    own = ready(name),
    layer = sides[side].picture,
    { view, frame } = state;
  if (view === "picture") {
    painted(layer, `${frame} ${name} ${state.exposure}`, (out) => paintPicture(out, own, displayFor(state.exposure)));
  } else if (view === "false") {
    painted(layer, `${frame} ${name} false`, (out) => paintFalseColor(out, own));
  } else {
    const other = view === "difference" ? state.right : "truth",
      range = RANGES[state.range];
    const toned = (which) => [ready(which), view === "error" && which === "truth" ? TRUTH_TONES : TONES];
    painted(layer, `${frame} ${name} ${view} ${other} ${range}`, (out) =>
      paintDifference(out, toned(name), toned(other), range),
    );
  }
}

/* The overlay of a side as a canvas, or null if it has none. */
function overlayOf(side) {
  const name = `${state[side]}/${state.overlay}`,
    facts_ = facts.layers[name];
  if (!state.overlay || !facts_) return null;
  sides[side].overlay ??= makeLayer();
  const own = ready(name);
  return painted(sides[side].overlay, `${state.frame} ${name}`, (out) => {
    if (facts_.kind === "flow") paintFlow(out, own, facts_.fastest);
    else paintMask(out, own);
  }).canvas;
}

/* ---- draw: both canvases to the screen, zoomed and split at the wipe ---- */

function box() {
  const width = stage.clientWidth,
    height = stage.clientHeight,
    scale = state.scale || fitScale();
  if (!state.scale) return { x: (width - WIDTH * scale) / 2, y: (height - HEIGHT * scale) / 2, scale };
  return { x: width / 2 - state.x * scale, y: height / 2 - state.y * scale, scale };
}

function fitScale() {
  return Math.min(stage.clientWidth / WIDTH, stage.clientHeight / HEIGHT);
}

/* Left and right end of the visible part of the picture, which limit the wipe. */
function visible(at = box()) {
  return [Math.max(0, at.x), Math.min(stage.clientWidth, at.x + WIDTH * at.scale)];
}

function wipeAt(at) {
  const [low, high] = visible(at);
  return low + state.wipe * (high - low);
}

function draw() {
  const ratio = window.devicePixelRatio || 1,
    width = stage.clientWidth,
    height = stage.clientHeight;
  const wanted = [Math.round(width * ratio), Math.round(height * ratio)];
  if (screenCanvas.width !== wanted[0] || screenCanvas.height !== wanted[1])
    [screenCanvas.width, screenCanvas.height] = wanted;
  const context = screenCanvas.getContext("2d"),
    at = box(),
    split = wipeAt(at);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = at.scale * ratio < 2;
  context.imageSmoothingQuality = at.scale * ratio < 0.6 ? "medium" : "low";
  if (state.view === "difference") drawSide(context, "left", at, 0, width);
  else {
    drawSide(context, "left", at, 0, split);
    drawSide(context, "right", at, split, width);
  }
  if (at.scale >= 8) drawPixelFrame(context, at);
  $("wipe").style.left = `${split}px`;
  $("wipe").setAttribute("aria-valuenow", Math.round(state.wipe * 100));
  $("zoom").value = `${Math.round(at.scale * ratio * 100)} %`;
}

function drawSide(context, side, at, low, high) {
  context.save();
  context.beginPath();
  context.rect(low, 0, Math.max(0, high - low), stage.clientHeight);
  context.clip();
  const place = [at.x, at.y, WIDTH * at.scale, HEIGHT * at.scale];
  context.drawImage(sides[side].picture.canvas, ...place);
  const overlay = state.view === "difference" ? null : overlayOf(side);
  if (overlay) {
    context.globalAlpha = state.opacity;
    context.drawImage(overlay, ...place);
  }
  context.restore();
}

function drawPixelFrame(context, at) {
  const pixel = pixelUnderCursor(at);
  if (!pixel) return;
  const place = [at.x + pixel[0] * at.scale, at.y + pixel[1] * at.scale, at.scale, at.scale];
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.strokeRect(...place);
  context.lineWidth = 1;
  context.strokeStyle = "#fff";
  context.strokeRect(...place);
}

let scheduled = false;

/* Update the screen, at most once per screen refresh. */
function show() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    refresh().catch((error) => {
      $("message").textContent = `The pixels cannot be shown: ${error.message}`;
    });
  });
}

async function refresh() {
  showControls();
  if (!(await load())) return;
  paintSide("left");
  if (state.view !== "difference") paintSide("right");
  draw();
  showValues();
  stage.dataset.state = "ready";
  $("message").textContent = "";
}

/* Decode the other frames while idle, so that scrubbing is immediate. */
async function prefetch() {
  for (let index = 0; index < facts.frames.length; index++) {
    for (const source of facts.sources) {
      await plane(index, source.name);
      await new Promise((done) => setTimeout(done, 30));
    }
  }
}

/* ---- state changes ---- */

function set(change) {
  Object.assign(state, change);
  const [width, height] = facts.sizes[state.frame];
  if (width !== WIDTH || height !== HEIGHT) {
    [WIDTH, HEIGHT] = [width, height];
    Object.assign(state, { scale: 0, x: width / 2, y: height / 2 });
  }
  show();
}

function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

function moveWipe(pixels) {
  const [low, high] = visible();
  set({ wipe: clamp((wipeAt(box()) + pixels - low) / Math.max(1, high - low), 0, 1) });
}

/* Zoom with the point under the cursor (or the center) unchanged. */
function zoomTo(scale, mouse = cursor) {
  const at = box(),
    middle = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 };
  const fixed = mouse.inside ? mouse : middle,
    next = clamp(scale, fitScale() / 2, 64);
  const x = (fixed.x - at.x) / at.scale,
    y = (fixed.y - at.y) / at.scale;
  set({ scale: next, x: x - (fixed.x - middle.x) / next, y: y - (fixed.y - middle.y) / next });
}

/* The next power of two, in screen pixels. */
function zoomStep(direction) {
  const ratio = window.devicePixelRatio || 1,
    level = Math.log2(box().scale * ratio);
  zoomTo(2 ** (direction > 0 ? Math.floor(level + 1.001) : Math.ceil(level - 1.001)) / ratio);
}

function stepFrame(step) {
  set({ frame: clamp(state.frame + step, 0, facts.frames.length - 1) });
}

function nextOverlay(step) {
  const all = overlays();
  set({ overlay: all[(all.indexOf(state.overlay) + step + all.length) % all.length] });
}

const KEYS = {
  ArrowLeft: (event) => moveWipe(event.shiftKey ? -1 : -24),
  ArrowRight: (event) => moveWipe(event.shiftKey ? 1 : 24),
  ArrowUp: () => set({ exposure: Math.min(10, state.exposure + 0.5) }),
  ArrowDown: () => set({ exposure: Math.max(-10, state.exposure - 0.5) }),
  " ": () => set({ wipe: state.wipe > 0.5 ? 0 : 1 }),
  s: () => set({ left: state.right, right: state.left }),
  0: () => set({ exposure: 0 }),
  ",": () => stepFrame(-1),
  ".": () => stepFrame(1),
  Home: () => set({ frame: 0 }),
  End: () => set({ frame: facts.frames.length - 1 }),
  1: () => set({ view: "picture" }),
  2: () => set({ view: "false" }),
  3: () => set({ view: "difference" }),
  4: () => HAS_TRUTH && set({ view: "error" }),
  "[": () => set({ range: Math.max(0, state.range - 1) }),
  "]": () => set({ range: Math.min(RANGES.length - 1, state.range + 1) }),
  o: (event) => nextOverlay(event.shiftKey ? -1 : 1),
  "+": () => zoomStep(1),
  "=": () => zoomStep(1),
  "-": () => zoomStep(-1),
  f: () => set({ scale: 0 }),
  z: () => zoomTo(1 / (window.devicePixelRatio || 1)),
  "?": () => $("help").showModal(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (event.target.matches("input, select") || (event.key === " " && event.target.matches("button"))) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
}

function pointAt(event) {
  const corner = stage.getBoundingClientRect();
  Object.assign(cursor, { x: event.clientX - corner.left, y: event.clientY - corner.top, inside: true });
}

/* A drag that starts on the handle moves the wipe; elsewhere it pans. */
function onPointerDown(event) {
  if (event.button !== 0) return;
  const wiping = event.target.closest("#wipe") !== null;
  let last = event;
  const move = (now) => {
    if (wiping) {
      const [low, high] = visible(),
        corner = stage.getBoundingClientRect();
      set({ wipe: clamp((now.clientX - corner.left - low) / Math.max(1, high - low), 0, 1) });
    } else {
      const at = box(),
        middle = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 };
      stage.classList.add("panning");
      set({
        scale: at.scale,
        x: (middle.x - at.x - now.clientX + last.clientX) / at.scale,
        y: (middle.y - at.y - now.clientY + last.clientY) / at.scale,
      });
    }
    last = now;
  };
  const done = () => {
    stage.classList.remove("panning");
    stage.removeEventListener("pointermove", move);
  };
  stage.setPointerCapture(event.pointerId);
  stage.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, done, { once: true });
}

function onWheel(event) {
  event.preventDefault();
  pointAt(event);
  zoomTo(box().scale * 2 ** (-event.deltaY / 300));
}

function listen() {
  document.addEventListener("keydown", onKey);
  stage.addEventListener("pointerdown", onPointerDown);
  stage.addEventListener("wheel", onWheel, { passive: false });
  stage.addEventListener("pointermove", (event) => {
    pointAt(event);
    show();
  });
  stage.addEventListener("pointerleave", () => {
    cursor.inside = false;
    show();
  });
  new ResizeObserver(show).observe(stage);
  const clicks = {
    earlier: KEYS[","],
    later: KEYS["."],
    "zoom-in": KEYS["+"],
    "zoom-out": KEYS["-"],
    fit: KEYS.f,
    actual: KEYS.z,
    "help-button": KEYS["?"],
  };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
}

function start() {
  $("title").textContent = facts.title;
  const about = `Pixels are half floats, shown as sRGB. F2HDR ${facts.version}.`;
  $("notes").append(...[...facts.notes, about].map((textContent) => element("p", { textContent })));
  if (!window.DecompressionStream) {
    $("message").textContent =
      "This browser cannot unpack the pixels. Use Chrome 80, Firefox 113, Safari 16.4 or later.";
    return;
  }
  $("message").textContent = "Loading pixels …";
  buildSources();
  buildControls();
  buildScores();
  listen();
  refresh()
    .then(prefetch)
    .catch((error) => {
      $("message").textContent = `The pixels cannot be shown: ${error.message}`;
    });
}

start();
