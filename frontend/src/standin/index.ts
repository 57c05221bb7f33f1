/** Defines the stand-in under ChatKit's name, unless the real one is already there. */
import { ELEMENT } from "../chatkit/script";
import { ChatKitStandIn } from "./element";

export function defineStandIn(): void {
  if (!customElements.get(ELEMENT)) customElements.define(ELEMENT, ChatKitStandIn);
}
