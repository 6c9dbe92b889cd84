(() => {
  "use strict";

  const PAGE = 200; // cards in the document at a time: more of them make sorting slow
  const LEAST = 5; // cards that are worth filters
  const SELECTORS = {
    path: ".path, .where, .timeline li li",
    author: ".author",
    all: "summary, .path, .timeline, .meta",
  };

  const byId = (id) => document.getElementById(id);
  const numbers = new Intl.NumberFormat("en");
  const collator = new Intl.Collator("en", { numeric: true });

  // The repositories of a fleet by their numbers; there are none in other pages.
  let repositories = [];

  // The choices of the exposure filter: an empty one, then the exposures in the order of the report.
  let exposures = [];

  class Entry {
    #texts = {};
    #held;

    constructor(card) {
      this.card = card;
      this.data = card.dataset;
      this.number = Number(this.data.n);
      this.exposures = this.data.exposures.split(" ");
      this.day = this.data.day ? Date.parse(this.data.day) : null;
    }

    // The numbers of the repositories that hold it.
    get held() {
      this.#held ??= this.data.repositories?.split(" ").map(Number) ?? [];
      return this.#held;
    }

    // Read on first use: reading the text of thousands of cards would make the page open later.
    text(within) {
      this.#texts[within] ??= this.#read(within).join("\n").toLowerCase();
      return this.#texts[within];
    }

    #read(within) {
      const names = within === "path" || within === "author" ? [] : this.held.map((number) => repositories[number]);
      if (within === "repository") return names;
      return [...[...this.card.querySelectorAll(SELECTORS[within])].map((one) => one.textContent), ...names];
    }

    first(selector) {
      return this.card.querySelector(selector)?.textContent.toLowerCase() ?? "\uffff";
    }
  }

  const orders = {
    risk: () => 0,
    exposure: (entry) => {
      const place = exposures.indexOf(entry.exposures[0]);
      return place <= 0 ? exposures.length : place; // what is gone is exposed nowhere
    },
    environment: (entry) => entry.data.environment,
    repositories: (entry) => -entry.held.length,
    path: (entry) => entry.first(".where bdi"),
    author: (entry) => entry.first(".author"),
    newest: (entry) => (entry.day === null ? Infinity : -entry.day),
    oldest: (entry) => entry.day ?? Infinity,
  };

  const compare = (one, other) => {
    if (typeof one === "string") return collator.compare(one, other);
    return one === other ? 0 : one - other;
  };

  // A list of cards, of which the document holds those that match, a page at a time.
  class Deck {
    #limit = PAGE;
    #order;

    constructor(list) {
      this.list = list;
      this.more = list.parentElement.querySelector(".more");
      this.entries = [...list.children].map((card) => new Entry(card));
      this.matching = this.#order = this.entries;
      this.more.addEventListener("click", () => this.#extend());
    }

    filter(matches) {
      this.matching = this.#order.filter(matches);
      this.#limit = PAGE;
      this.draw();
    }

    sort(key) {
      const keyed = this.entries.map((entry) => [key(entry), entry]);
      keyed.sort((one, other) => compare(one[0], other[0]) || one[1].number - other[1].number);
      this.#order = keyed.map((one) => one[1]);
      const matching = new Set(this.matching);
      this.filter((entry) => matching.has(entry));
    }

    draw(limit = this.#limit) {
      this.list.replaceChildren(...this.matching.slice(0, limit).map((entry) => entry.card));
      const left = this.matching.length - limit;
      this.more.hidden = left <= 0;
      this.more.textContent = `Show ${numbers.format(Math.min(left, PAGE))} more, ${numbers.format(left)} are left`;
    }

    // Whether the card of this id is here; then it is in the document.
    reveal(id) {
      const place = this.matching.findIndex((entry) => entry.card.id === id);
      if (place < 0) return false;
      if (place >= this.#limit) {
        this.#limit = place + 1;
        this.draw();
      }
      return true;
    }

    #extend() {
      const next = this.matching[this.#limit];
      this.#limit += PAGE;
      this.draw();
      next.card.querySelector("summary").focus();
    }
  }

  // The numbers of the repositories that a text names: the one that is called so, else all whose names hold it.
  const named = (text) => {
    const wanted = text.trim().toLowerCase();
    const numbered = repositories.map((name, number) => [name.toLowerCase(), number]);
    const exact = numbered.filter(([name]) => name === wanted);
    const found = exact.length > 0 ? exact : numbered.filter(([name]) => name.includes(wanted));
    return new Set(found.map(([, number]) => number));
  };

  // Names in the table of repositories become buttons, which do nothing without this script.
  const setUpTable = (pick) => {
    for (const cell of document.querySelectorAll("th[data-repository]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "Show its credentials";
      button.append(...cell.childNodes);
      button.addEventListener("click", () => pick(Number(cell.dataset.repository)));
      cell.append(button);
    }
  };

  const setUp = () => {
    repositories = [...(byId("repositories")?.options ?? [])].map((option) => option.value);
    exposures = [...byId("exposure").options].map((option) => option.value);
    const shown = new Deck(byId("cards"));
    const suppressed = byId("suppressed");
    const decks = suppressed === null ? [shown] : [shown, new Deck(byId("suppressed-cards"))];
    const levels = [...document.querySelectorAll("input[name=level]")];
    const { exposure, environment, find, within, sort, repository, mark } = Object.fromEntries(
      ["exposure", "environment", "find", "within", "sort", "repository", "mark"].map((id) => [id, byId(id)]),
    );
    const choices = [exposure, environment, mark].filter((input) => input !== null);
    const fields = [find, repository].filter((input) => input !== null);

    const filter = () => {
      const wanted = new Set(levels.filter((box) => box.checked).map((box) => box.value));
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      const holders = repository === null || repository.value.trim() === "" ? null : named(repository.value);
      const matches = (entry) =>
        (wanted.size === 0 || wanted.has(entry.data.level)) &&
        (exposure.value === "" || entry.exposures.includes(exposure.value)) &&
        (environment.value === "" || entry.data.environment === environment.value) &&
        (mark === null || mark.value === "" || entry.data.mark === mark.value) &&
        (holders === null || entry.held.some((number) => holders.has(number))) &&
        words.every((word) => entry.text(within.value).includes(word));
      for (const deck of decks) deck.filter(matches);
      const [count, all] = [shown.matching.length, shown.entries.length].map(numbers.format);
      byId("none").hidden = shown.matching.length > 0;
      byId("status").textContent = count === all ? `All ${all} shown` : `${count} of ${all} match`;
    };
    const reorder = () => {
      for (const deck of decks) deck.sort(orders[sort.value]);
    };
    const reset = () => {
      for (const box of levels) box.checked = false;
      for (const input of [...choices, ...fields]) input.value = "";
      within.value = "all";
      sort.value = "risk";
      reorder();
      filter();
    };
    const pick = (number) => {
      reset();
      repository.value = repositories[number];
      filter();
      byId("credentials").focus({ preventScroll: true });
      byId("credentials").scrollIntoView();
    };
    const toggle = (open) => () => {
      for (const one of document.querySelectorAll(".card > details")) one.open = open;
    };
    const switchSuppressed = () => {
      if (suppressed !== null) suppressed.hidden = !byId("show-suppressed").checked;
    };
    const openTarget = () => {
      const id = location.hash.slice(1);
      if (!id.startsWith("c-")) return;
      if (!decks.some((deck) => deck.reveal(id))) {
        reset();
        decks.some((deck) => deck.reveal(id));
      }
      const card = byId(id);
      if (card === null) return;
      if (suppressed?.contains(card)) {
        byId("show-suppressed").checked = true;
        switchSuppressed();
      }
      card.querySelector("details").open = true;
      card.scrollIntoView();
    };

    let waiting = 0;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(filter, 120);
    };

    for (const input of [...levels, ...choices, within]) input.addEventListener("change", filter);
    for (const input of fields) input.addEventListener("input", soon);
    setUpTable(pick);
    sort.addEventListener("change", reorder);
    byId("open").addEventListener("click", toggle(true));
    byId("close").addEventListener("click", toggle(false));
    byId("reset").addEventListener("click", reset);
    byId("show-suppressed")?.addEventListener("change", switchSuppressed);
    addEventListener("hashchange", openTarget);
    addEventListener("beforeprint", () => decks.forEach((deck) => deck.draw(Infinity)));
    addEventListener("afterprint", () => decks.forEach((deck) => deck.draw()));
    switchSuppressed();
    reset();
    document.querySelector(".controls").hidden = shown.entries.length < LEAST && decks.length < 2 && repository === null;
    openTarget();
  };

  // Ticks of done steps, kept in the browser under the digest of the steps. Where it keeps nothing they last as long as
  // the page.
  class Ticks {
    #key = `binance-leaks:${document.body.dataset.report}`;
    #done = new Set();

    restore() {
      try {
        const kept = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
        this.#done = new Set(kept.filter((name) => typeof name === "string"));
      } catch {
        return;
      }
      for (const name of this.#done) {
        const [id, number] = name.split(":");
        const box = this.#boxes(byId(id))[Number(number)];
        if (box !== undefined) box.checked = true;
      }
    }

    change(box) {
      const scope = box.closest(".card, .first");
      const name = `${scope.id}:${this.#boxes(scope).indexOf(box)}`;
      if (box.checked) this.#done.add(name);
      else this.#done.delete(name);
      try {
        if (this.#done.size > 0) localStorage.setItem(this.#key, JSON.stringify([...this.#done]));
        else localStorage.removeItem(this.#key);
      } catch {
        return;
      }
    }

    #boxes(scope) {
      return [...(scope?.querySelectorAll(".tasks input") ?? [])];
    }
  }

  const setUpTicks = () => {
    const ticks = new Ticks();
    ticks.restore();
    document.addEventListener("change", (event) => {
      if (event.target.matches(".tasks input")) ticks.change(event.target);
    });
  };

  // Where the clipboard is closed to the page, the command is selected, so that the keyboard copies it.
  const copy = async (button) => {
    const command = button.parentElement.querySelector("pre");
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      getSelection().selectAllChildren(command);
      done = "Selected";
    }
    button.textContent = done;
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };

  const setUpCopying = () => {
    document.addEventListener("click", (event) => {
      if (event.target.matches(".copy")) copy(event.target);
    });
  };

  // Not by :has() of the style, which would cost a second while thousands of check boxes come in.
  const setUpThemes = () => {
    for (const input of document.querySelectorAll("input[name=theme]")) {
      input.addEventListener("change", () => (document.documentElement.dataset.theme = input.value));
    }
    document.querySelector(".themes").hidden = false;
  };

  let opened = [];
  const openAll = () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  };
  const closeAgain = () => {
    for (const one of opened) one.open = false;
  };

  // While the page comes in, its style leaves out what the script will take out of the document anyway.
  document.documentElement.classList.add("loading", "scripted");
  addEventListener("DOMContentLoaded", () => {
    setUpThemes();
    setUpTicks();
    setUpCopying();
    if (byId("cards") !== null) setUp();
    addEventListener("beforeprint", openAll);
    addEventListener("afterprint", closeAgain);
    document.documentElement.classList.remove("loading");
  });
})();
