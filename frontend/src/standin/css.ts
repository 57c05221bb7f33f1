/**
 * Sets inline styles through the CSSOM. A strict Content-Security-Policy (`style-src 'self'`)
 * forbids the `style` attributes that lit-html's own directive writes.
 */
import { noChange } from "lit-html";
import {
  Directive,
  directive,
  type ElementPart,
  type PartInfo,
  PartType,
} from "lit-html/directive.js";

export type Styles = Record<string, string | undefined>;

class StyledDirective extends Directive {
  #previous = new Set<string>();

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error("styled() goes on an element");
  }

  render(_styles: Styles) {
    return noChange;
  }

  override update(part: ElementPart, [styles]: [Styles]) {
    const { style } = part.element as HTMLElement;
    for (const name of this.#previous) if (styles[name] === undefined) style.removeProperty(name);
    this.#previous.clear();
    for (const [name, value] of Object.entries(styles)) {
      if (value === undefined) continue;
      style.setProperty(name, value);
      this.#previous.add(name);
    }
    return noChange;
  }
}

export const styled = directive(StyledDirective);
