import type { SignIn } from "../sign-in";
import { texts } from "./brand";
import { useSignOut } from "./sign-in-hooks";

export function SignOut({ signIn, className }: { signIn: SignIn; className?: string }) {
  const { signOut, busy } = useSignOut(signIn);
  return (
    <button type="button" className={className} onClick={signOut} aria-busy={busy}>
      {busy ? texts.signIn.leaving : texts.signIn.out}
    </button>
  );
}
