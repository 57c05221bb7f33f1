import base from "./styles/base.css?inline";
import composer from "./styles/composer.css?inline";
import files from "./styles/files.css?inline";
import markdown from "./styles/markdown.css?inline";
import panels from "./styles/panels.css?inline";
import start from "./styles/start.css?inline";
import thread from "./styles/thread.css?inline";
import widgets from "./styles/widgets.css?inline";

/** Constructed style sheets are parsed once, and a strict Content-Security-Policy allows them. */
export default function styles(): CSSStyleSheet[] {
  return [base, start, thread, files, markdown, composer, panels, widgets].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
}
