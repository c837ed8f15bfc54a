// What the page needs of Vega to draw a Vega-Lite specification: `vega.*` in page.js.
// The package `vega` registers every transform; this leaves out maps, trees, forces and the like.
import { transforms } from "vega-dataflow";
import * as encoders from "vega-encode";
import * as tabular from "vega-transforms";
import { extend } from "vega-util";
import * as layouts from "vega-view-transforms";

extend(transforms, tabular, layouts, encoders);

export { expressionInterpreter } from "vega-interpreter";
export { compile } from "vega-lite";
export { parse } from "vega-parser";
export { Handler } from "vega-tooltip";
export { Warn } from "vega-util";
export { View } from "vega-view";
