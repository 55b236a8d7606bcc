"use strict";
// Pictures drawn from numbers: a line chart as SVG, a probability map and a scatter on a canvas.

const svgElement = (name, attributes = {}, text = "") => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
};

const bytes = (base64) => {
  const text = atob(base64);
  const all = new Uint8Array(text.length);
  for (let i = 0; i < all.length; i++) all[i] = text.charCodeAt(i);
  return all;
};

const ticksBetween = (low, high, log) => {
  if (log) {
    const powers = [];
    for (let e = Math.floor(Math.log10(low)); 10 ** e <= high; e++) powers.push(10 ** e);
    const within = (all) => all.filter((tick) => tick >= low && tick <= high);
    const decades = within(powers);
    return decades.length > 2 ? decades : within(powers.flatMap((p) => [p, 2 * p, 5 * p]));
  }
  const rough = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step / 1e6; tick += step)
    ticks.push(Number(tick.toPrecision(12)));
  return ticks;
};

// No longer than there is room beside an axis.
const tickText = (tick) =>
  (String(tick).length > 6 ? tick.toExponential() : String(tick)).replaceAll("-", "−");

// series: [{label, colour, dashed, x: [...], y: [...]}]
const lineChart = (title, xLabel, series, log) => {
  const [width, height, left, right, top, bottom] = [420, 250, 52, 24, 10, 40];
  const shown = (y) => Number.isFinite(y) && (!log || y > 0);
  const xs = series.flatMap((s) => s.x);
  const ys = series.flatMap((s) => s.y.filter(shown));
  const svg = svgElement("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "lines", role: "img", "aria-label": title,
  });
  if (!ys.length) return svg;
  const [xLow, xHigh] = [Math.min(...xs), Math.max(...xs)];
  const [yLow, yHigh] = [Math.min(...ys), Math.max(...ys)];
  const f = log ? Math.log10 : (value) => value;
  const place = (value, low, high, from, to) =>
    from + ((value - low) / (high - low || 1)) * (to - from);
  const px = (x) => place(x, xLow, xHigh, left, width - right);
  const py = (y) => place(f(y), f(yLow), f(yHigh), height - bottom, top);
  for (const tick of ticksBetween(yLow, yHigh, log)) {
    svg.append(
      svgElement("line", { class: "grid", x1: left, x2: width - right, y1: py(tick), y2: py(tick) }),
      svgElement("text", { x: left - 6, y: py(tick) + 4, "text-anchor": "end" }, tickText(tick)),
    );
  }
  for (const tick of ticksBetween(xLow, xHigh, false))
    svg.append(svgElement("text", { x: px(tick), y: height - bottom + 16 }, String(tick)));
  svg.append(svgElement("text", { x: (left + width) / 2, y: height - 4 }, xLabel));
  for (const { colour, dashed, x, y } of series) {
    let path = "";
    y.forEach((value, i) => {
      if (shown(value))
        path += `${path && shown(y[i - 1]) ? "L" : "M"}${px(x[i]).toFixed(1)} ${py(value).toFixed(1)}`;
    });
    const line = svgElement("path", { d: path, class: dashed ? "line dashed" : "line" });
    line.style.stroke = colour;
    svg.append(line);
  }
  return svg;
};

const canvasOf = (width, height, label) => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  return [canvas, context];
};

// A map is kept as differences of neighbours, modulo 256, in both directions.
const summed = (differences, cells) => {
  const sums = Uint8Array.from(differences);
  for (let i = 1; i < sums.length; i++) if (i % cells) sums[i] += sums[i - 1];
  for (let i = cells; i < sums.length; i++) sums[i] += sums[i - cells];
  return sums;
};

// The map's first row is its lowest one; lines are where the probability crosses a level.
const probabilityMap = (map, cells, box, points, look, label) => {
  const [left, right, low, high] = box;
  const [width, height] = [600, Math.round((600 * (high - low)) / (right - left))];
  const [canvas, context] = canvasOf(width, height, label);
  const p = summed(map, cells);
  const palette = bytes(look.palette);
  const between = (place) => {
    const at = Math.min(Math.max(place, 0), cells - 1);
    const first = Math.min(Math.floor(at), cells - 2);
    return [first, at - first];
  };
  const columns = Array.from({ length: width }, (_, x) => between(((x + 0.5) * cells) / width - 0.5));
  const image = context.createImageData(width, height);
  let above = [];
  for (let y = 0; y < height; y++) {
    const [row, up] = between(((height - y - 0.5) * cells) / height - 0.5);
    const levels = columns.map(([column, toRight], x) => {
      const i = row * cells + column;
      const below = p[i] + toRight * (p[i + 1] - p[i]);
      const atop = p[i + cells] + toRight * (p[i + cells + 1] - p[i + cells]);
      const value = below + up * (atop - below);
      const colour = 3 * Math.round(value);
      image.data.set([...palette.subarray(colour, colour + 3), 255], 4 * (y * width + x));
      return look.levels.filter((level) => value > 255 * level).length;
    });
    levels.forEach((level, x) => {
      const crossed = (x && level !== levels[x - 1]) || (y && level !== above[x]);
      if (crossed) image.data.set([51, 51, 51], 4 * (y * width + x));
    });
    above = levels;
  }
  context.putImageData(image, 0, 0);
  points.places.forEach(([x, y], i) => {
    const px = ((x - left) / (right - left)) * width;
    const py = height - ((y - low) / (high - low)) * height;
    context.beginPath();
    if (points.labels[i]) {
      context.moveTo(px, py - 7);
      context.lineTo(px + 6.5, py + 5);
      context.lineTo(px - 6.5, py + 5);
      context.closePath();
    } else context.arc(px, py, 5.5, 0, 2 * Math.PI);
    context.fillStyle = look.binary_colours[points.labels[i]];
    context.strokeStyle = "#fff";
    context.fill();
    context.stroke();
  });
  return canvas;
};

const scatter = (states, colours, label) => {
  const [size, margin] = [600, 16];
  const [canvas, context] = canvasOf(size, size, label);
  const places = bytes(states.places);
  const labels = bytes(states.labels);
  const at = (value) => margin + (value / 255) * (size - 2 * margin);
  const ofClass = new Map();
  labels.forEach((of, i) => {
    const [x, y] = [at(places[2 * i]), size - at(places[2 * i + 1])];
    context.fillStyle = colours[of % colours.length];
    context.fillRect(x - 2, y - 2, 4, 4);
    ofClass.set(of, [...(ofClass.get(of) ?? []), [x, y]]);
  });
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  Object.assign(context, { font: "bold 26px sans-serif", textAlign: "center", textBaseline: "middle" });
  Object.assign(context, { lineWidth: 5, strokeStyle: "#fff" });
  for (const [of, points] of ofClass) {
    const [x, y] = [0, 1].map((axis) => median(points.map((point) => point[axis])));
    context.fillStyle = colours[of % colours.length];
    context.strokeText(of, x, y);
    context.fillText(of, x, y);
  }
  return canvas;
};
