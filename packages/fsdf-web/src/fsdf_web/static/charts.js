// Draws `[data-chart]` elements from /api/speed; text stays in the canvas, so no name becomes markup.
"use strict";
(function () {
  const root = document.documentElement.dataset.root;
  const words = JSON.parse(document.body.dataset.words || "{}");
  const charts = new Map();

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  // In the zone of the tables; days are counted in UTC.
  function format(options) {
    try {
      return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: options.timeZone || document.documentElement.dataset.zone });
    } catch {
      return new Intl.DateTimeFormat("en-GB", options);
    }
  }
  const days = format({ month: "2-digit", day: "2-digit", timeZone: "UTC" });
  const minutes = format({ hour: "2-digit", minute: "2-digit" });
  const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

  function label(second, step) {
    const moment = new Date(second * 1000);
    if (step >= 86400) return days.format(moment).split("/").reverse().join("-");
    return (step >= 60 ? minutes : seconds).format(moment);
  }

  function series(element, curve) {
    const bar = (name, data, tint, stack) => ({
      name, type: "bar", stack, data, itemStyle: { color: color(tint) }, barCategoryGap: "20%", animation: false,
    });
    const line = (name, data, tint) => ({
      name, type: "line", data, symbolSize: 4, connectNulls: true, lineStyle: { color: color(tint), width: 2 },
      itemStyle: { color: color(tint) }, animation: false,
    });
    switch (element.dataset.chart) {
      case "mean": return [line(words.mean, curve.mean_seconds.map((each) => each === null ? null : +(each * 1000).toFixed(3)), "accent")];
      case "backlog": return [line(words.backlog, curve.backlog, "warn")];
      default: return [bar(words.successes, curve.successes, "good", "all"), bar(words.failures, curve.failures, "bad", "all")];
    }
  }

  async function draw(element) {
    const query = new URLSearchParams({ window: element.dataset.window });
    if (element.dataset.queue) query.set("queue", element.dataset.queue);
    const answer = await fetch(`${root}/api/speed?${query}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const data = await answer.json();
    let chart = charts.get(element);
    if (chart === undefined || chart.isDisposed()) {
      chart = echarts.init(element, null, { renderer: "canvas" });
      charts.set(element, chart);
      new ResizeObserver(() => chart.resize()).observe(element);
    }
    const text = color("soft"), rule = color("rule");
    chart.setOption({
      textStyle: { fontFamily: "inherit", color: text },
      grid: { left: 8, right: 8, top: 28, bottom: 4, containLabel: true },
      legend: { top: 0, right: 0, itemWidth: 12, itemHeight: 8, textStyle: { color: text } },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: color("card"), borderColor: rule, textStyle: { color: color("ink") } },
      xAxis: {
        type: "category", data: data.times.map((second) => label(second, data.step)),
        axisLine: { lineStyle: { color: rule } }, axisLabel: { color: text, hideOverlap: true }, axisTick: { show: false },
      },
      yAxis: { type: "value", minInterval: element.dataset.chart === "mean" ? 0 : 1, splitLine: { lineStyle: { color: rule } }, axisLabel: { color: text } },
      series: series(element, data.total),
    }, { notMerge: true });
    const sum = data.total.successes.concat(data.total.failures).reduce((one, other) => one + other, 0);
    element.setAttribute("aria-label", `${element.dataset.title || ""}: ${sum}`);
    element.dataset.drawn = "yes";
  }

  let last = 0;
  function drawAll(force) {
    const now = Date.now();
    if (document.hidden || (!force && now - last < 1500)) return;
    last = now;
    for (const element of document.querySelectorAll("[data-chart]")) draw(element).catch(() => {});
  }

  addEventListener("DOMContentLoaded", () => drawAll(true));
  document.addEventListener("fsdf:changed", () => drawAll(false));
  document.addEventListener("fsdf:theme", () => drawAll(true));
  document.addEventListener("htmx:afterSettle", () => drawAll(false));
  setInterval(() => drawAll(false), 5000);
})();
