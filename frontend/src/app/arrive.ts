/** What the page does first at the two addresses that only sign-in uses. */
import type { SignIn } from "../sign-in";
import { AGAIN, SIGN_IN, SIGNED_IN } from "../sign-in/paths";
import { forgetDrafts } from "../standin/drafts";

/**
 * Signs in with what the issuer has put into the address, and shows the address that the person had
 * asked for. `failed`: nobody has signed in. `done`: the window has no further use. `null`: the page
 * goes on as at any other address.
 */
export async function arrive(signIn: SignIn): Promise<"done" | "failed" | null> {
  if (location.pathname === SIGN_IN) {
    const again = location.search === AGAIN;
    const begun = await signIn.begin("/", { close: true, again }).then(
      () => true,
      () => false,
    );
    if (begun) return new Promise(() => undefined); // the browser leaves this page
    history.replaceState(null, "", "/"); // otherwise a reload would try again
    return "failed";
  }
  if (location.pathname !== SIGNED_IN) return null;
  let arrival: Awaited<ReturnType<SignIn["finish"]>>;
  try {
    arrival = await signIn.finish();
  } catch {
    // Back and Reload lead here with a code that was used. Whoever has signed in just goes on.
    history.replaceState(null, "", "/");
    return (await signIn.person()) ? null : "failed";
  }
  if (arrival.at === "not-signed-in") {
    history.replaceState(null, "", arrival.returnTo);
    return "failed";
  }
  if (arrival.close) {
    close();
    return "done";
  }
  // Neither what somebody else has written nor their conversation is this person's.
  if (arrival.other) forgetDrafts();
  history.replaceState(null, "", arrival.other ? "/" : arrival.returnTo);
  return null;
}
