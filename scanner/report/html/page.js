(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const list = byId("cards");
  const controls = document.querySelector(".controls");
  const levels = [...document.querySelectorAll("input[name=level]")];
  const exposures = ["present", "staged", "history", "message", "unreachable"];
  const numbers = new Intl.NumberFormat("en");

  const text = (card, selector) =>
    [...card.querySelectorAll(selector)].map((one) => one.textContent).join("\n").toLowerCase();

  // Read on first use: reading all text of thousands of cards would make the page open later.
  class Entry {
    #texts = new Map();

    constructor(card) {
      this.card = card;
      this.data = card.dataset;
      this.exposures = this.data.exposures.split(" ");
    }

    text(within) {
      if (!this.#texts.has(within)) {
        const selector = {
          path: ".path, .where, .timeline li li",
          author: ".author",
          all: "summary, .path, .places, .timeline, .meta",
        }[within];
        this.#texts.set(within, text(this.card, selector));
      }
      return this.#texts.get(within);
    }

    first(selector) {
      const found = this.card.querySelector(selector);
      return found === null ? "\uffff" : found.textContent.toLowerCase();
    }
  }

  const collator = new Intl.Collator("en", { numeric: true });
  const orders = {
    risk: () => 0,
    exposure: (entry) => exposures.indexOf(entry.exposures[0]),
    environment: (entry) => entry.data.environment,
    path: (entry) => entry.first(".where bdi"),
    author: (entry) => entry.first(".author"),
    newest: (entry) => (entry.data.day ? -Date.parse(entry.data.day) : Infinity),
    oldest: (entry) => (entry.data.day ? Date.parse(entry.data.day) : Infinity),
  };

  const compare = (one, other) =>
    typeof one === "string" ? collator.compare(one, other) : one === other ? 0 : one - other;

  const entriesOf = (place) => [...place.querySelectorAll(".card")].map((card) => new Entry(card));

  const details = (place) => place.querySelectorAll(".card:not([hidden]) > details");

  const setUp = () => {
    const suppressed = byId("suppressed");
    const shown = entriesOf(list);
    const all = suppressed === null ? shown : [...shown, ...entriesOf(suppressed)];
    const names = ["exposure", "environment", "find", "within", "sort"];
    const inputs = Object.fromEntries(names.map((name) => [name, byId(name)]));

    const filter = () => {
      const wanted = new Set(levels.filter((box) => box.checked).map((box) => box.value));
      const words = inputs.find.value.toLowerCase().split(/\s+/).filter(Boolean);
      const exposure = inputs.exposure.value;
      const environment = inputs.environment.value;
      const matches = (entry) =>
        (wanted.size === 0 || wanted.has(entry.data.level)) &&
        (exposure === "" || entry.exposures.includes(exposure)) &&
        (environment === "" || entry.data.environment === environment) &&
        words.every((word) => entry.text(inputs.within.value).includes(word));
      let count = 0;
      for (const entry of all) {
        const hide = !matches(entry);
        if (entry.card.hidden !== hide) entry.card.hidden = hide;
      }
      for (const entry of shown) count += entry.card.hidden ? 0 : 1;
      byId("none").hidden = count > 0;
      byId("status").textContent =
        count === shown.length
          ? `${numbers.format(count)} shown`
          : `${numbers.format(count)} of ${numbers.format(shown.length)} shown`;
    };

    const sort = () => {
      const key = orders[inputs.sort.value];
      const keyed = shown.map((entry) => [key(entry), Number(entry.data.n), entry.card]);
      keyed.sort((one, other) => compare(one[0], other[0]) || one[1] - other[1]);
      list.append(...keyed.map((one) => one[2]));
    };

    let waiting = 0;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(filter, 120);
    };
    const toggle = (open) => () => {
      for (const one of details(document)) one.open = open;
    };
    const showSuppressed = () => {
      if (suppressed !== null) suppressed.hidden = !byId("show-suppressed").checked;
    };
    const reset = () => {
      for (const box of levels) box.checked = false;
      for (const name of names) inputs[name].value = { within: "all", sort: "risk" }[name] ?? "";
      filter();
      sort();
    };

    for (const box of levels) box.addEventListener("change", filter);
    for (const name of ["exposure", "environment", "within"]) inputs[name].addEventListener("change", filter);
    inputs.find.addEventListener("input", soon);
    inputs.sort.addEventListener("change", sort);
    byId("open").addEventListener("click", toggle(true));
    byId("close").addEventListener("click", toggle(false));
    byId("reset").addEventListener("click", reset);
    byId("show-suppressed")?.addEventListener("change", showSuppressed);
    showSuppressed();
    controls.hidden = false;
  };

  const openTarget = () => {
    const target = location.hash.length > 1 ? byId(location.hash.slice(1)) : null;
    if (target === null || !target.matches(".card")) return;
    target.hidden = false;
    target.querySelector("details").open = true;
    target.scrollIntoView();
  };

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  if (list !== null) setUp();
  addEventListener("hashchange", openTarget);
  openTarget();
})();
