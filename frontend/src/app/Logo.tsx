import { brand } from "./brand";

/** The logo of brand.ts; `size` in pixels. */
export function Logo({ size }: { size: number }) {
  return (
    <svg
      className="logo"
      viewBox="0 0 32 32"
      width={size}
      height={size}
      aria-hidden="true"
      // biome-ignore lint/security/noDangerouslySetInnerHtml: our own markup, from brand.ts
      dangerouslySetInnerHTML={{ __html: brand.logo }}
    />
  );
}
