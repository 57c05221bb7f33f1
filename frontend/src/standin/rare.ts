/** What few conversations have, in one file that is loaded when it is needed: see `later`. */
export { MORE_PATHS } from "./more-icons";
export { structuredInputView } from "./view/structured";
export { chart } from "./widgets/chart";
