/* Scores: means, the plot over frames, and the table by frame. */

function rowsOf(metric) {
  return facts.scores.filter((row) => row.metric === metric);
}

function scoreText(value, metric) {
  if (typeof value !== "number") return value === "inf" ? "∞" : String(value);
  return value.toFixed(rowsOf(metric)[0].decimals);
}

function paperCell(metric) {
  const value = facts.published[metric];
  return element("td", { className: "paper", textContent: value === undefined ? "" : scoreText(value, metric) });
}

function meanNote(row) {
  const against = row.against && `, against ${NAMES[row.against] ?? row.against}`;
  return `mean of ${row.frames.length} ${row.over}${against}`;
}

function buildScores() {
  $("scores").hidden = !facts.scores.length;
  if (!facts.scores.length) return;
  const names = [...new Set(facts.scores.map((row) => row.source))];
  const metrics = [...new Set(facts.scores.map((row) => row.metric))];
  const paper = PUBLISHED ? [element("th", { textContent: "paper" })] : [];
  $("means").append(
    element("tr", {}, element("th"), ...names.map((name) => element("th", {}, chip(name))), ...paper),
  );
  for (const metric of metrics) $("means").append(meanRow(metric));
  $("by-frame").addEventListener("click", (event) => goTo(event.target.closest("tr")?.dataset.frame));
  $("plot").addEventListener("click", (event) => goTo(event.target.dataset.frame));
  buildPlots();
  $("parameters").textContent = metrics
    .filter((metric) => parameters(rowsOf(metric)[0]))
    .map((metric) => `${metric}: ${parameters(rowsOf(metric)[0])}.`)
    .join(" ");
}

function parameters(row) {
  return Object.entries({ ...row.parameters, ...row.facts })
    .map(([name, value]) => `${name} ${typeof value === "number" ? +value.toPrecision(6) : value}`)
    .join(", ");
}

function meanRow(metric) {
  const rows = rowsOf(metric),
    values = rows.map((row) => (row.value === "inf" ? Infinity : row.value)),
    best = Math.max(...values);
  const ranked = rows.length > 1 && /PSNR|SSIM/.test(metric);
  const cells = rows.map((row, i) =>
    element("td", {
      textContent: scoreText(row.value, metric),
      className: ranked && values[i] === best ? "better" : "",
    }),
  );
  if (PUBLISHED) cells.push(paperCell(metric));
  const unit = metric.endsWith(rows[0].unit) ? "" : ` ${rows[0].unit}`;
  const made = element("tr", {}, element("td", { textContent: metric + unit }), ...cells);
  made.dataset.metric = metric;
  made.addEventListener("click", () => set({ metric }));
  return made;
}

function goTo(frame) {
  const index = facts.frames.indexOf(Number(frame));
  if (frame !== undefined && index >= 0) set({ frame: index });
}

let scoresKey = "";

function showScores() {
  const key = `${state.metric} ${state.plot} ${state.frame} ${$("plot").clientWidth}`;
  if (!state.metric || key === scoresKey) return;
  scoresKey = key;
  for (const row of document.querySelectorAll("#means tr[data-metric]"))
    row.setAttribute("aria-selected", row.dataset.metric === state.metric);
  const rows = rowsOf(state.metric),
    here = facts.frames[state.frame];
  $("scores-note").textContent = meanNote(rows[0]);
  showPlots();
  if (state.plot) drawBoxes();
  else drawPlot();
  const head = element(
    "tr",
    {},
    element("th", { textContent: rows[0].over === "scenes" ? "Scene" : "Frame" }),
    ...rows.map((row) => element("th", { textContent: row.source })),
  );
  const lines = rows[0].frames.map(([frame], i) => {
    const shown = facts.frames.includes(frame);
    const line = element(
      "tr",
      {
        className: `${shown ? "shown" : ""} ${frame === here ? "here" : ""}`,
        title: shown ? "" : "not in this page",
      },
      element("td", { textContent: rows[0].over === "scenes" ? sceneOf(frame) : frameName(frame) }),
      ...rows.map((row) => element("td", { textContent: scoreText(row.frames[i][1], state.metric) })),
    );
    line.dataset.frame = frame;
    return line;
  });
  $("by-frame").firstElementChild.replaceChildren(head, ...lines);
  const line = $("by-frame").querySelector(".here");
  if (line) $("by-frame").scrollTop = line.offsetTop - $("by-frame").clientHeight / 2;
}

function svg(tag, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

/* Identical frames (infinite scores) are omitted from the plot. */
function drawPlot() {
  const rows = rowsOf(state.metric),
    plot = $("plot");
  plot.style.height = "";
  const width = plot.clientWidth,
    height = plot.clientHeight;
  const values = rows
    .flatMap((row) => row.frames.map(([, value]) => value))
    .filter((value) => typeof value === "number");
  plot.replaceChildren();
  if (!values.length) return;
  const [low, high, step] = axis(Math.min(...values), Math.max(...values));
  const frames = rows[0].frames.map(([frame]) => frame),
    first = frames[0],
    span = Math.max(1, frames.at(-1) - first);
  const left = 44,
    right = width - 8,
    top = 8,
    bottom = height - 20;
  const x = (frame) => (frames.length === 1 ? (left + right) / 2 : left + ((frame - first) / span) * (right - left));
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
  for (let tick = low; tick <= high + step / 2; tick += step) {
    plot.append(svg("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }));
    plot.append(svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, +tick.toFixed(4)));
  }
  const here = facts.frames[state.frame],
    between = frames.length > 1 ? (x(first + 1) - x(first)) / 2 : 0;
  for (const start of sceneStarts().filter((frame) => frame > first))
    plot.append(svg("line", { class: "grid", x1: x(start) - between, x2: x(start) - between, y1: top, y2: bottom }));
  if (here >= first && here <= frames.at(-1))
    plot.append(svg("line", { class: "here", x1: x(here), x2: x(here), y1: top, y2: bottom }));
  const ends = frames.length > 1 ? { start: first, end: frames.at(-1) } : { middle: first };
  for (const [anchor, frame] of Object.entries(ends)) {
    plot.append(svg("text", { x: x(frame), y: height - 4, "text-anchor": anchor }, frameName(frame)));
    fitText(plot.lastChild, (right - left) / 2 - 6);
  }
  for (const row of rows) plotRow(plot, row, x, y);
}

/* Truncate a text to a width in pixels; the complete text is its title. */
function fitText(text, width) {
  const whole = text.textContent;
  for (let kept = whole.length - 1; kept > 1 && text.getComputedTextLength() > width; kept--)
    text.textContent = `${whole.slice(0, kept)}…`;
  text.append(svg("title", {}, whole));
}

/* Names of scenes and their frames, if there are several scenes. */
function scenes() {
  return facts.groupings.find((each) => each.title === "scene")?.groups ?? [];
}

function sceneStarts() {
  return scenes().map(([, frames]) => frames[0]);
}

function sceneOf(frame) {
  return scenes().find(([, frames]) => frames.includes(frame))[0];
}

/* A line through the frames of every scene, and a dot for those in the page. */
function plotRow(plot, row, x, y) {
  const points = row.frames.filter(([, value]) => typeof value === "number"),
    starts = row.over === "frames" ? sceneStarts() : [];
  const runs = [[]];
  for (const [frame, value] of points) {
    if (starts.includes(frame)) runs.push([]);
    runs.at(-1).push(`${x(frame)},${y(value)}`);
  }
  for (const run of runs) plot.append(svg("polyline", { class: row.source, points: run.join(" ") }));
  for (const [frame, value] of points.filter(([frame]) => facts.frames.includes(frame)))
    plot.append(dot(row, [frame, value], x(frame), y(value)));
}

/* A frame of the page in a plot: larger if it is displayed; a click displays it. */
function dot(row, [frame, value], cx, cy) {
  const r = frame === facts.frames[state.frame] ? 4.5 : 3;
  const made = svg("circle", { class: row.source, cx, cy, r, "data-frame": frame });
  made.append(svg("title", {}, `${frameName(frame)}: ${scoreText(value, row.metric)}`));
  return made;
}

/* Round limits and step of an axis with three to five lines. */
function axis(low, high) {
  const span = Math.max(high - low, Math.abs(high) * 0.005, 1e-4),
    rough = span / 3,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const start = Math.floor(low / step) * step;
  return [start, Math.max(Math.ceil(high / step) * step, start + step), step];
}
