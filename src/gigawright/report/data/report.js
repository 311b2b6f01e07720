"use strict";
// Charts are drawn from JSON in the page; colours that depend on light or dark come from the style sheet.
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const config = { displayModeBar: false, responsive: true, displaylogo: false, scrollZoom: false };
  const isAxis = (key) => /^[xy]axis\d*$/.test(key);

  function themed(figure) {
    const layout = structuredClone(figure.layout);
    const data = structuredClone(figure.data);
    layout.font = { ...layout.font, color: css("--soft") };
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: css("--card"), bordercolor: css("--faint"), font: { ...layout.hoverlabel?.font, color: css("--ink") } };
    for (const key of Object.keys(layout)) {
      if (isAxis(key)) Object.assign(layout[key], { gridcolor: css("--grid"), linecolor: css("--grid"), tickcolor: css("--grid") });
    }
    for (const trace of data) {
      if (trace.meta === "ink") trace.line.color = css("--ink");
      if (trace.type === "sankey") trace.textfont = { ...trace.textfont, color: css("--ink") };
      if (trace.fill === "toself") { trace.fillcolor = css("--land") + "66"; trace.line.color = css("--land"); }
      if (trace.mode === "markers+text") {
        trace.textfont = { ...trace.textfont, color: css("--ink") };
        trace.marker.line.color = css("--accent");
        trace.marker.color = trace.marker.color.map((colour) => (colour.endsWith(",0)") ? colour : css("--accent") + "99"));
      }
    }
    delete layout.width;
    return [data, layout];
  }

  function draw(plot) {
    const source = document.getElementById(plot.dataset.figure);
    if (!source || !plot.offsetParent) return Promise.resolve();
    const [data, layout] = themed(JSON.parse(source.textContent));
    return Plotly.react(plot, data, layout, config).then(() => { plot.dataset.drawn = "1"; });
  }

  const plots = () => [...document.querySelectorAll(".plot")];
  const pause = () => new Promise((go) => setTimeout(go, 0));
  async function drawAll() {
    for (const plot of plots()) { await draw(plot); await pause(); }
    document.body.dataset.ready = "1";
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  for (const select of document.querySelectorAll("select[data-shows]")) {
    const show = () => {
      for (const option of select.options) document.getElementById(option.value).hidden = option.value !== select.value;
      const plot = document.getElementById(select.value).querySelector(".plot");
      if (plot) draw(plot);
    };
    select.addEventListener("change", show);
  }

  const search = document.getElementById("facts-search");
  if (search) {
    const confidence = document.getElementById("facts-confidence");
    const kind = document.getElementById("facts-kind");
    const assumed = document.getElementById("facts-assumed");
    const rows = [...document.querySelectorAll("#facts-table tbody tr")].map((row) => [row, (row.textContent + " " + row.dataset.kind).toLowerCase()]);
    const filter = () => {
      const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const [row, text] of rows) {
        const fits = wanted.every((word) => text.includes(word)) && (!confidence.value || row.dataset.conf === confidence.value)
          && (!kind.value || row.dataset.kind === kind.value) && (!assumed.checked || row.dataset.assumed === "1");
        row.hidden = !fits;
        shown += fits;
      }
      document.getElementById("facts-count").textContent = `${shown.toLocaleString("en-GB")} of ${rows.length.toLocaleString("en-GB")} rows`;
    };
    for (const control of [search, confidence, kind, assumed]) control.addEventListener("input", filter);
    filter();
  }

  const links = new Map([...document.querySelectorAll("nav.toc li a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) {
      for (const link of links.values()) link.classList.remove("here");
      links.get(entry.target.id)?.classList.add("here");
    }
  }, { rootMargin: "-10% 0px -75% 0px" });
  for (const section of document.querySelectorAll("main section[id]")) seen.observe(section);
  addEventListener("beforeprint", () => plots().forEach((plot) => plot.dataset.drawn && Plotly.Plots.resize(plot)));
  drawAll();
})();
