/* Box plots: one row per group of frames, box from the lower to the upper quartile, whiskers to minimum and maximum. */

const ROW = 21,
  NAME_SHARE = 0.3;

function grouping() {
  return facts.groupings.find((each) => each.title === state.plot);
}

/* Groupings available for the current metric; scores of whole scenes are not grouped by parts of scenes. */
function groupings() {
  const row = rowsOf(state.metric)[0];
  return facts.groupings.filter((each) => row.over === "frames" || !each.splits_scenes);
}

function buildPlots() {
  $("plots").hidden = !facts.groupings.length;
  for (const title of ["", ...facts.groupings.map((each) => each.title)]) {
    const words = title || "frame";
    const button = element("button", { textContent: words[0].toUpperCase() + words.slice(1), title: `Scores by ${words}` });
    button.setAttribute("role", "radio");
    button.dataset.plot = title;
    button.addEventListener("click", () => set({ plot: title }));
    $("plots").append(button);
  }
}

function showPlots() {
  const offered = ["", ...groupings().map((each) => each.title)];
  if (!offered.includes(state.plot)) state.plot = "";
  for (const button of document.querySelectorAll("#plots button")) {
    button.disabled = !offered.includes(button.dataset.plot);
    button.setAttribute("aria-checked", button.dataset.plot === state.plot);
  }
  $("plot").classList.toggle("boxes", state.plot !== "");
}

/* Quantile of sorted values, linearly interpolated. */
function quantile(sorted, share) {
  const place = share * (sorted.length - 1),
    low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

function valuesOf(row, frames) {
  const members = new Set(frames);
  return row.frames.filter(([frame, value]) => members.has(frame) && typeof value === "number");
}

function drawBoxes() {
  const plot = $("plot"),
    rows = rowsOf(state.metric),
    groups = grouping().groups;
  const width = plot.clientWidth,
    height = groups.length * rows.length * ROW + 26;
  const values = rows.flatMap((row) => row.frames.map(([, value]) => value)).filter((v) => typeof v === "number");
  plot.replaceChildren();
  plot.style.height = `${height}px`;
  if (!values.length) return;
  const [low, high, step] = axis(Math.min(...values), Math.max(...values));
  const left = Math.round(width * NAME_SHARE),
    right = width - 54,
    top = 20;
  const x = (value) => left + ((value - low) / (high - low)) * (right - left);
  for (let tick = low; tick <= high + step / 2; tick += step) {
    plot.append(svg("line", { class: "grid", x1: x(tick), x2: x(tick), y1: top, y2: height - 2 }));
    plot.append(svg("text", { x: x(tick), y: 13, "text-anchor": "middle" }, +tick.toFixed(4)));
  }
  groups.forEach(([name, frames], group) => {
    rows.forEach((row, place) => {
      const y = (group * rows.length + place + 0.5) * ROW + top;
      if (place === 0) groupName(plot, name, frames, { y, width: left - 8 });
      drawBox(plot, row, valuesOf(row, frames), { x, y, right: width - 4 });
    });
  });
}

/* The group's name, truncated to the available width; a click shows its first frame in the page. */
function groupName(plot, name, frames, { y, width }) {
  const here = frames.includes(facts.frames[state.frame]);
  const text = svg("text", { x: 0, y: y + 4, class: here ? "name here" : "name" }, name);
  const shown = frames.find((frame) => facts.frames.includes(frame));
  if (shown !== undefined) text.dataset.frame = shown;
  plot.append(text);
  fitText(text, width);
}

function drawBox(plot, row, points, { x, y, right }) {
  if (!points.length) return;
  const sorted = points.map(([, value]) => value).sort((a, b) => a - b);
  const [low, quarter, middle, upper, high] = [0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share));
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const half = 6;
  for (const [x1, x2] of [
    [x(low), x(quarter)],
    [x(upper), x(high)],
  ])
    plot.append(svg("line", { class: row.source, x1, x2, y1: y, y2: y }));
  const box = { x: x(quarter), y: y - half, width: Math.max(1, x(upper) - x(quarter)), height: 2 * half };
  plot.append(svg("rect", { class: row.source, ...box }));
  plot.append(svg("line", { class: "middle", x1: x(middle), x2: x(middle), y1: y - half, y2: y + half }));
  plot.append(svg("text", { x: right, y: y + 4, "text-anchor": "end" }, scoreText(mean, row.metric)));
  for (const [frame, value] of points.filter(([frame]) => facts.frames.includes(frame)))
    plot.append(dot(row, [frame, value], x(value), y));
}
