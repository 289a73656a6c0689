// Starts Swagger UI on the document that the page names, and fills in the form from the address.
"use strict";

const root = document.getElementById("swagger-ui");
const FIRST_OPERATION = "list_events";

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
  showCommonExtensions: true,
  syntaxHighlight: { theme: "idea" },
  onComplete: prefill,
});

// `/docs?country=KZ` opens the form with Kazakhstan filled in. Swagger UI has no setting for it:
// these are its internal actions, which a test holds to the version that is shipped.
function prefill() {
  const asked = new URLSearchParams(location.search);
  if (!asked.size) return;
  const wanted = location.hash.split("/").pop() || FIRST_OPERATION;
  const found = operation(wanted);
  if (!found) return;
  const unknown = [];
  for (const name of new Set(asked.keys())) {
    const parameter = found.parameters.find((each) => each.get("name") === name);
    const values = asked.getAll(name).filter((value) => value.trim());
    if (parameter) fill(found.key, parameter, values);
    else unknown.push(name);
  }
  ui.layoutActions.show(["operations", found.tag, wanted], true);
}
function operation(id) {
  for (const [path, methods] of ui.specSelectors.specJson().get("paths"))
    for (const [method, each] of methods)
      if (each.get("operationId") === id)
        return { key: [path, method], tag: each.getIn(["tags", 0]), parameters: each.get("parameters") };
}
function fill(key, parameter, values) {
  const several = parameter.getIn(["schema", "type"]) === "array";
  ui.specActions.changeParamByIdentity(key, parameter, several ? values : values.at(-1), false);
}
