// Starts Swagger UI on the document that the page names, fills in the form from the page's
// address, and says aloud what Swagger UI leaves unsaid. What is used of it beyond its settings
// (actions, class names) is internal: the browser tests hold it to the version that is shipped.
"use strict";

const root = document.getElementById("swagger-ui");
const notice = document.getElementById("notice");
const FIRST_OPERATION = "list_events";
const RENDERED_MS = 100;
let asking = null; // The operation whose Execute was pressed last.

// Swagger UI brings dark colours of its own, but waits for a class to be set.
const darkness = matchMedia("(prefers-color-scheme: dark)");
const followDarkness = () => document.documentElement.classList.toggle("dark-mode", darkness.matches);
darkness.addEventListener("change", followDarkness);
followDarkness();

const ui = SwaggerUIBundle({
  domNode: root,
  url: root.dataset.document,
  validatorUrl: null, // It would send the document to another host.
  tryItOutEnabled: true,
  deepLinking: true,
  docExpansion: "list",
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 2,
  syntaxHighlight: { theme: "idea" },
  onComplete: fillFromAddress,
  plugins: [{ statePlugins: { spec: { wrapActions: { setResponse: thenShowAnswer } } } }],
});

// `/docs?country=KZ` opens the form with Kazakhstan filled in, and asks nothing by itself.
function fillFromAddress() {
  const asked = new URLSearchParams(location.search);
  const operation = findOperation(location.hash.split("/").pop()) ?? findOperation(FIRST_OPERATION);
  if (!operation || ![...asked.keys()].length) return;
  const left = [...new Set(asked.keys())].flatMap((name) => fill(operation, name, asked.getAll(name)));
  ui.layoutActions.show(["operations", operation.tag, operation.id], true);
  notice.textContent = "The form is filled in from the link you followed: press Execute to ask."
    + (left.length ? ` Left out, because the form doesn't know it: ${left.join(", ")}.` : "");
  notice.hidden = false;
  const block = `operations-${operation.tag}-${operation.id}`;
  setTimeout(() => document.getElementById(block)?.scrollIntoView(), RENDERED_MS);
}

function findOperation(id) {
  for (const [path, methods] of ui.specSelectors.specJson().get("paths"))
    for (const [method, each] of methods)
      if (each.get("operationId") === id)
        return { id, key: [path, method], tag: each.getIn(["tags", 0]), parameters: each.get("parameters") };
}

// Returns what can't be filled in: a whole parameter, or words that are not in its list.
function fill(operation, name, given) {
  const parameter = operation.parameters?.find((each) => each.get("name") === name);
  if (!parameter) return [`${name}=${given.join()}`];
  const words = closedList(parameter.get("schema"));
  const known = given.filter((value) => value.trim() && (!words || words.includes(value)));
  const value = parameter.getIn(["schema", "type"]) === "array" ? known : known.at(-1);
  if (known.length) ui.specActions.changeParam(operation.key, name, parameter.get("in"), value, false);
  return given.filter((each) => each.trim() && !known.includes(each)).map((each) => `${name}=${each}`);
}

function closedList(schema) {
  const one = schema.get("items") ?? schema;
  const place = one.get("$ref")?.split("/").slice(1);
  return (place ? ui.specSelectors.specJson().getIn(place) : one).get("enum");
}

root.addEventListener("click", (event) => {
  if (!event.target.matches(".execute")) return;
  asking = event.target.closest(".opblock");
  notice.hidden = true;
  setTimeout(explainRefusal, RENDERED_MS);
});

// With a number out of range, Execute does nothing and says nothing: let the browser say why.
function explainRefusal() {
  const control = asking.querySelector("input.invalid");
  if (!control) return;
  control.setCustomValidity(control.title || "This can't be sent.");
  control.reportValidity();
  control.addEventListener("input", () => control.setCustomValidity(""), { once: true });
}

// The answer stands below a long form, so it is brought into view.
function thenShowAnswer(setResponse) {
  return (...response) => {
    setTimeout(() => {
      const answer = asking?.querySelector(".responses-wrapper");
      if (!answer) return;
      answer.tabIndex = -1;
      answer.focus({ preventScroll: true });
      answer.scrollIntoView({ block: "start" });
    }, RENDERED_MS);
    return setResponse(...response);
  };
}

// Swagger UI labels no control, so screen readers would say "edit text" nineteen times.
const LABELS = [
  ["input, select:not(.examples-select-element)", ""],
  [".examples-select-element", "Examples for "],
  [".json-schema-form-item-add", "Add a value to "],
  [".json-schema-form-item-remove", "Remove this value from "],
];

function label() {
  for (const row of root.querySelectorAll("tr[data-param-name]"))
    for (const [controls, prefix] of LABELS)
      for (const control of row.querySelectorAll(controls))
        control.setAttribute("aria-label", prefix + row.dataset.paramName);
}
new MutationObserver(label).observe(root, { childList: true, subtree: true });
