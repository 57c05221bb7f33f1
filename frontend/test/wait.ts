/** Waits until a condition is true. Fails after two seconds. */
export async function until<T>(look: () => T | undefined | false | null): Promise<T> {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const value = look();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Never so: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
