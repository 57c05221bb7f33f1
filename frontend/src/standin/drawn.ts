/**
 * A lit-html directive that calls back once for a new element. lit-html's `ref` also calls when the
 * element is gone, which nothing here needs and which takes much code.
 */
import { noChange } from "lit-html";
import { Directive, directive, type ElementPart } from "lit-html/directive.js";

type Tell = (element: Element) => void;

class Drawn extends Directive {
  #told = false;

  render(_tell: Tell) {
    return noChange;
  }

  override update(part: ElementPart, [tell]: [Tell]) {
    if (!this.#told) tell(part.element);
    this.#told = true;
    return noChange;
  }
}

/** `<input ${drawn((input) => …)}>`: called when the element is first drawn, before it is shown. */
export const drawn = directive(Drawn);
