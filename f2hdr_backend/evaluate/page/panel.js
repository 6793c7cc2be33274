/* The panel beside the picture: sources, controls, values under the cursor; and the legend in the picture. */

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function chip(name) {
  return element("span", { className: `chip ${name}`, textContent: NAMES[name] ?? name });
}

function frameName(number) {
  return facts.names[number] ?? String(number);
}

function label(name) {
  return facts.sources.find((source) => source.name === name).label;
}

function buildSources() {
  for (const { name, label: path, note } of facts.sources) {
    const cell = element("td", { className: "path", title: path }, element("bdi", { textContent: path }));
    if (note) cell.append(element("small", { textContent: note, title: note }));
    const buttons = ["left", "right"].map((side) => {
      const button = element("button", {
        textContent: side === "left" ? "Left" : "Right",
        title: `Show ${path} on the ${side}`,
      });
      button.dataset.side = side;
      button.dataset.name = name;
      button.addEventListener("click", () => set({ [side]: name }));
      return button;
    });
    const row = element(
      "tr",
      {},
      element("td", { className: "chip-cell" }, chip(name)),
      cell,
      element("td", { className: "sides" }, ...buttons),
    );
    $("sources").append(row);
  }
}

function buildControls() {
  for (const [view, words] of Object.entries(VIEWS)) {
    if (view === "error" && !HAS_TRUTH) continue;
    const button = element("button", { textContent: words });
    button.setAttribute("role", "radio");
    button.dataset.view = view;
    button.addEventListener("click", () => set({ view }));
    $("views").append(button);
  }
  $("overlay").append(
    ...overlays().map((name) => element("option", { value: name, textContent: name ? overlayWords(name) : "None" })),
  );
  $("overlay-row").hidden = overlays().length === 1;
  $("frame").max = facts.frames.length - 1;
  bind("frame", "frame");
  bind("exposure", "exposure");
  bind("range", "range");
  $("opacity").addEventListener("input", (event) => set({ opacity: Number(event.target.value) / 100 }));
  $("overlay").addEventListener("change", (event) => set({ overlay: event.target.value }));
  for (const input of document.querySelectorAll("input, select"))
    input.addEventListener("change", () => input.blur());
}

function bind(id, key) {
  $(id).addEventListener("input", (event) => set({ [key]: Number(event.target.value) }));
}

function overlays() {
  return ["", ...new Set(Object.keys(facts.layers).map((name) => name.slice(name.indexOf("/") + 1)))];
}

function overlayWords(name) {
  const flow = Object.entries(facts.layers).some(([key, layer]) => key.endsWith(`/${name}`) && layer.kind === "flow");
  return flow ? `flow ${name}` : name.replace(".", " ");
}

function showControls() {
  const { view, exposure, frame } = state,
    heat = view === "difference" || view === "error";
  for (const button of document.querySelectorAll("#views button"))
    button.setAttribute("aria-checked", button.dataset.view === view);
  for (const button of document.querySelectorAll("#sources button")) {
    button.setAttribute("aria-pressed", state[button.dataset.side] === button.dataset.name);
  }
  $("exposure-row").hidden = view !== "picture";
  $("range-row").hidden = !heat;
  $("overlay-row").hidden = view === "difference" || overlays().length === 1;
  for (const key of ["frame", "exposure", "range", "overlay"]) $(key).value = state[key];
  $("opacity").value = state.opacity * 100;
  $("opacity").disabled = !state.overlay;
  $("exposure-value").value = `${exposure > 0 ? "+" : ""}${exposure.toFixed(2)}`;
  $("range-value").value = RANGES[state.range];
  const scored = facts.scores.length ? facts.scores[0].frames.length : facts.frames.length;
  $("summary").textContent = `${WIDTH} × ${HEIGHT}, ${facts.frames.length} of ${scored} frames`;
  $("frame-number").value = $("frame-number").title = frameName(facts.frames[frame]);
  $("frame-count").value = `${frame + 1} of ${facts.frames.length}`;
  $("wipe").hidden = view === "difference";
  showTags();
  showLegend();
  showScores();
}

function showTags() {
  const versus = (one, other) => [chip(one), element("span", { textContent: "against" }), chip(other)];
  const { left, right, view } = state;
  const named = (name) =>
    view === "error"
      ? versus(name, "truth")
      : [chip(name), element("span", { textContent: label(name).split(/[\\/]/).slice(-2).join("/") })];
  $("left-tag").replaceChildren(...(view === "difference" ? versus(left, right) : named(left)));
  $("right-tag").replaceChildren(...named(right));
  $("right-tag").hidden = view === "difference";
}

/* Position, and values of every source with luminance in stops; values are half floats as stored. */
function showValues() {
  const pixel = pixelUnderCursor();
  $("position").textContent = pixel ? `x ${pixel[0]}  y ${pixel[1]}` : "";
  const head = element(
    "tr",
    {},
    ...["", "R", "G", "B", "stops"].map((textContent) => element("th", { textContent })),
  );
  const rows = facts.sources.map(({ name }) => {
    const rgb = pixel && valuesAt(ready(name), ...pixel);
    const cells = rgb ? [...rgb.map(number), stops(luminance(rgb))] : ["–", "–", "–", "–"];
    const row = element(
      "tr",
      { className: rgb ? "" : "none" },
      element("td", {}, chip(name)),
      ...cells.map((textContent) => element("td", { textContent })),
    );
    row.dataset.name = name;
    if (rgb) row.dataset.rgb = rgb.join(" ");
    return row;
  });
  const layers = pixel
    ? overlayPlanes()
        .filter((name, i, all) => all.indexOf(name) === i)
        .map((name) => layerRow(name, pixel))
    : [];
  $("values").replaceChildren(head, ...rows, ...layers);
}

function layerRow(name, pixel) {
  const values = valuesAt(ready(name), ...pixel),
    flow = facts.layers[name].kind === "flow";
  const text = flow ? `${values.map((value) => value.toFixed(2)).join(", ")} px` : values[0].toFixed(3);
  const source = name.slice(0, name.indexOf("/"));
  return element(
    "tr",
    {},
    element("td", {}, chip(source)),
    element("td", { colSpan: 4, textContent: `${overlayWords(state.overlay)}  ${text}` }),
  );
}

function number(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.0001 || size >= 10000)) return value.toExponential(2);
  return size < 0.1 ? value.toFixed(5) : value.toPrecision(4);
}

function stops(value) {
  if (!(value > 0)) return "–";
  const exact = Math.log2(value);
  return `${exact > 0 ? "+" : ""}${exact.toFixed(2)}`;
}

function pixelUnderCursor(at = box()) {
  if (!cursor.inside) return null;
  const x = Math.floor((cursor.x - at.x) / at.scale),
    y = Math.floor((cursor.y - at.y) / at.scale);
  return x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT ? [x, y] : null;
}

/* ---- legend ---- */

let legendKey = "";

function showLegend() {
  const { view, overlay, range } = state,
    key = `${view} ${overlay} ${range} ${state.left} ${state.right}`;
  if (key === legendKey) return;
  legendKey = key;
  const parts = [];
  if (view === "false") parts.push(falseColorLegend());
  if (view === "difference" || view === "error") parts.push(heatLegend(RANGES[range]));
  const flow = view === "difference" ? undefined : overlayPlanes().find((name) => facts.layers[name].kind === "flow");
  if (flow) parts.push(flowLegend(facts.layers[flow].fastest));
  $("legend").replaceChildren(...parts);
}

function css(pixel) {
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

function falseColorLegend() {
  const bands = FALSE_PIXELS.map((pixel) => element("i", { style: `background: ${css(pixel)}` }));
  const ticks = [];
  for (let stop = FALSE_LOW; stop <= FALSE_HIGH; stop += 2)
    ticks.push(element("span", { textContent: stop > 0 ? `+${stop}` : stop }));
  return element(
    "div",
    {},
    element("div", { className: "bands" }, ...bands),
    element("div", { className: "ticks" }, ...ticks),
    element("small", { textContent: "luminance, stops from 1.0; exposure does not apply" }),
  );
}

function heatLegend(range) {
  const colors = Array.from({ length: 17 }, (_, i) => css(HEAT[i * 16 - (i === 16)]));
  const white = +facts.white.toPrecision(4);
  const seen = state.view === "error" ? ", as PSNR_T sees it" : "";
  const ends = ["0", `${range} and more`].map((textContent) => element("span", { textContent }));
  return element(
    "div",
    {},
    element("div", { className: "bar", style: `background: linear-gradient(90deg, ${colors.join()})` }),
    element("div", { className: "ticks" }, ...ends),
    element("small", { textContent: `absolute difference after the mu-law, white ${white}${seen}` }),
  );
}

function flowLegend(fastest) {
  const side = 64,
    canvas = element("canvas", { width: side, height: side });
  const context = canvas.getContext("2d"),
    image = context.createImageData(side, side),
    pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < side * side; i++) {
    const x = ((i % side) - side / 2 + 0.5) / (side / 2 - 1),
      y = (Math.floor(i / side) - side / 2 + 0.5) / (side / 2 - 1);
    const away = Math.hypot(x, y),
      cover = Math.max(0, Math.min(1, (1 - away) * (side / 2) + 0.5));
    pixels[i] =
      (flowColor((x / Math.max(1, away)) * 0.999, (y / Math.max(1, away)) * 0.999, 1) & 0xffffff) |
      (Math.round(255 * cover) << 24);
  }
  context.putImageData(image, 0, 0);
  return element(
    "div",
    { className: "flow" },
    canvas,
    element(
      "div",
      { textContent: `rim: ${fastest} px` },
      element("small", { textContent: "where a pixel goes, x right and y down; white stands still" }),
    ),
  );
}
