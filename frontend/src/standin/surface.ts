/** What the state calls on the element that shows it. */
export type Surface = {
  changed(): void;
  emit(event: string, detail?: unknown): void;
  focusComposer(caret?: number): void;
  scrollToEnd(): void;
};
