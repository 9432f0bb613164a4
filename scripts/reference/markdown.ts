import { wrap } from "../../cli/output/wrap.js";

const WIDTH = 110;

export const para = (text: string): string => wrap(text, WIDTH).join("\n");

export const bullet = (text: string): string => `- ${wrap(text, WIDTH - 2).join("\n  ")}`;

/** As GitHub names the anchor of a heading. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");
