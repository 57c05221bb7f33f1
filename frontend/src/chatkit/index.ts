/** Everything that ChatKit needs to talk to this backend. Copy this folder into your own page. */
export { ChallengeError, solveChallenge } from "./challenge";
export { type ChallengeConfig, loadConfig, type PageConfig, type SignInConfig } from "./config";
export { type ChatKitFetchOptions, createChatKitFetch, type GetToken } from "./fetch";
export { createLog, describeError, type Log } from "./log";
export { type AssistantOptions, chatKitOptions, searchEntities } from "./options";
export { type AnswerWatch, createAnswerWatch, runningUntil } from "./running";
export { ELEMENT, loadChatKitScript } from "./script";
export {
  createSession,
  type Session,
  SessionError,
  type SessionInfo,
  signInAgain,
} from "./session";
export { chatKitTheme, type Theme } from "./theme";
export { type Recording, startRecording, transcribe, VoiceError } from "./voice";
