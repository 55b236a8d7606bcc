"use strict";
// Choose an experiment, a seed and two methods; see their pictures, curves and numbers.

const unpack = (packed) =>
  new Response(new Blob([bytes(packed)]).stream().pipeThrough(new DecompressionStream("gzip")));

const unpackExperiment = async ({ content, maps }) => {
  const of = await unpack(content).json();
  if (!maps) return of;
  const cells = new Uint8Array(await unpack(maps).arrayBuffer());
  const size = of.map.cells ** 2;
  Object.values(of.runs).forEach((run, i) => { run.map = cells.subarray(i * size, (i + 1) * size); });
  return of;
};

const explore = async () => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const form = document.getElementById("choices");
  const { experiment, seed, left, right } = form.elements;
  const find = (id) => document.getElementById(id);
  const label = (method) => data.methods[method].label;
  const format = (value) =>
    value === null || value === undefined ? "–" : String(Number(value.toPrecision(4))).replace("-", "−");

  const fill = (select, values, words, preferred) => {
    const before = select.value;
    select.replaceChildren(...values.map((value) => new Option(words(value), value)));
    const wanted = [before, preferred, values[0]].map(String);
    select.value = wanted.find((value) => values.map(String).includes(value));
  };

  const figure = (picture, heading, caption) => {
    const element = document.createElement("figure");
    const title = document.createElement("h3");
    const words = document.createElement("figcaption");
    title.textContent = heading;
    words.textContent = caption;
    element.append(title, picture, words);
    return element;
  };

  const DRAWN = {
    map: {
      space: "input space",
      alt: "Map of the predicted probability of class 1.",
      metrics: ["test_accuracy", "low_confidence_area"],
      legend: "Blue is class 0, red is class 1, white is undecided; the dark lines are where the " +
        `probability is ${data.levels.join(" and ")}. Circles (class 0) and triangles (class 1) ` +
        "are the training points.",
      draw: (run, of, alt) =>
        probabilityMap(run.map, of.map.cells, of.map.box, of.map.points[seed.value], data, alt),
    },
    states: {
      space: "hidden space",
      alt: "Bottleneck states of the test data.",
      metrics: ["test_accuracy", "test_scatter_ratio"],
      legend: "One dot a test sample, by the two units of the bottleneck, coloured by class, whose " +
        "number stands at its median. Each picture has its own scale.",
      draw: (run, of, alt) => scatter(run.states, data.class_colours, alt),
    },
  };
  const NOTHING = "Nothing two-dimensional to draw in this experiment: its curves are below, its " +
    "other measures among the figures.";

  const picture = (kind, of, method) => {
    const run = of.runs[`${method}/${seed.value}`];
    const { space, alt, metrics, draw } = DRAWN[kind];
    const heading = `${label(method)}, seed ${seed.value}: ${space}`;
    const caption = metrics
      .filter((metric) => metric in run.metrics)
      .map((metric) => `${of.metrics[metric]} ${format(run.metrics[metric])}`)
      .join("; ");
    return figure(draw(run, of, `${alt} ${heading}: ${caption}.`), heading, caption);
  };

  // Dark tones are lightened on a dark page; methods of a sweep may share a colour.
  const colours = (methods) => methods.map((method, i) => {
    const { colour } = data.methods[method];
    if (i && colour === data.methods[methods[0]].colour) return "var(--link)";
    if (!colour) return "var(--ink)";
    return `light-dark(${colour}, color-mix(in srgb, ${colour} 65%, white))`;
  });

  const curves = (of, methods) => {
    const colour = colours(methods);
    const chart = (ending, words, log) => {
      const series = methods.flatMap((method, i) =>
        [["test", false], ["train", true]].map(([split, dashed]) => {
          const columns = of.runs[`${method}/${seed.value}`].curves;
          const y = columns[`${split}_${ending}`];
          return { colour: colour[i], dashed, x: columns.step, y };
        }),
      );
      const names = methods.map(label).join(" and ");
      const alt = `${words} over the steps of training, ${names}, seed ${seed.value}.`;
      return figure(lineChart(alt, "optimiser step", series, log), words, "");
    };
    const key = document.createElement("p");
    key.className = "key";
    methods.forEach((method, i) => {
      const name = document.createElement("span");
      name.textContent = label(method);
      name.style.setProperty("--colour", colour[i]);
      key.append(name);
    });
    const charts = [chart("loss", "Loss, nats", true), chart("accuracy", "Accuracy", false)];
    return [key, ...charts];
  };

  const numbers = (of) => {
    const values = [left, right].map((side) => of.runs[`${side.value}/${seed.value}`].metrics);
    const rows = Object.keys(of.metrics).map((metric) => {
      const [a, b] = values.map((of_run) => of_run[metric] ?? null);
      const row = document.createElement("tr");
      const heading = document.createElement("th");
      heading.scope = "row";
      heading.textContent = of.metrics[metric];
      row.append(heading);
      for (const value of [a, b, a === null || b === null ? null : b - a]) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.dataset.value = value ?? "";
        cell.textContent = format(value);
      }
      return row;
    });
    const table = find("numbers");
    table.tBodies[0].replaceChildren(...rows);
    [left, right].forEach((side, i) => { table.tHead.rows[0].cells[i + 1].textContent = label(side.value); });
  };

  let of; // the experiment that is shown
  const draw = () => {
    const sides = [left.value, right.value];
    const having = (kind) => sides.filter((method) => kind in of.runs[`${method}/${seed.value}`]);
    const kinds = Object.keys(DRAWN).filter((kind) => having(kind).length);
    const pictures = kinds.flatMap((kind) => having(kind).map((method) => picture(kind, of, method)));
    find("pictures").replaceChildren(...pictures);
    find("legend").textContent = kinds.map((kind) => DRAWN[kind].legend).join(" ") || NOTHING;
    find("curves").replaceChildren(...curves(of, [...new Set(sides)]));
    numbers(of);
  };

  const choose = async () => {
    const name = experiment.value;
    find("explored").setAttribute("aria-busy", true);
    const unpacked = await unpackExperiment(data.experiments[name]);
    if (name !== experiment.value) return; // another was chosen since
    of = unpacked;
    fill(seed, of.seeds, String);
    fill(left, of.methods, label, "baseline");
    fill(right, of.methods, label, of.methods.at(-1));
    draw();
    find("explored").setAttribute("aria-busy", false);
  };

  fill(experiment, Object.keys(data.experiments), String);
  form.addEventListener("submit", (event) => event.preventDefault());
  experiment.addEventListener("change", choose);
  for (const select of [seed, left, right]) select.addEventListener("change", draw);
  await choose();
  form.hidden = find("explored").hidden = false;
};

// The data are much of the page: they are read once a reader comes near.
const explored = new IntersectionObserver((seen) => {
  if (!seen.some((entry) => entry.isIntersecting)) return;
  explored.disconnect();
  explore();
}, { rootMargin: "600px" });
explored.observe(document.getElementById("explore"));
