/** Draws what few conversations have. Its code is loaded when it is shown for the first time. */
import { noChange, render, type TemplateResult } from "lit-html";
import { Directive, directive, type ElementPart } from "lit-html/directive.js";

type Load = (element: HTMLElement) => Promise<TemplateResult>;

class LaterDirective extends Directive {
  render(_load: Load) {
    return noChange;
  }

  override update(part: ElementPart, [load]: [Load]) {
    const element = part.element as HTMLElement;
    load(element).then(
      (view) => render(view, element),
      (error: unknown) => {
        render("This part of the conversation cannot be shown.", element);
        reportError(error);
      },
    );
    return noChange;
  }
}

/** `<div ${later(async () => (await import("../rare")).someView(item))}></div>` */
export const later = directive(LaterDirective);
