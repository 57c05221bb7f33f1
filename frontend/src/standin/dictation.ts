/** Dictation: records speech, sends `input.transcribe`, and puts the text into the composer. */
import { type Recording, startRecording, VoiceError } from "../chatkit/voice";
import { ApiError, type Client } from "./client";

export class Dictation {
  state: "idle" | "recording" | "transcribing" = "idle";
  error: string | null = null;

  readonly #client: Client;
  readonly #changed: () => void;
  readonly #insert: (text: string) => void;
  #recording: Recording | null = null;

  constructor(client: Client, changed: () => void, insert: (text: string) => void) {
    this.#client = client;
    this.#changed = changed;
    this.#insert = insert;
  }

  async start(): Promise<void> {
    this.error = null;
    try {
      this.#recording = await startRecording();
      this.state = "recording";
    } catch (error) {
      this.error = error instanceof VoiceError ? error.message : "Recording failed.";
    }
    this.#changed();
  }

  cancel(): void {
    this.#recording?.cancel();
    this.#recording = null;
    this.state = "idle";
    this.#changed();
  }

  async finish(): Promise<void> {
    if (!this.#recording) return;
    this.state = "transcribing";
    this.#changed();
    try {
      const audio = await this.#recording.stop();
      const { text } = await this.#client.request<{ text: string }>("input.transcribe", {
        audio_base64: await base64(audio),
        mime_type: audio.type,
      });
      if (text.trim()) this.#insert(text.trim());
      else this.error = "Nothing was heard.";
    } catch (error) {
      this.error = error instanceof ApiError ? error.message : "The recording was lost.";
    }
    this.#recording = null;
    this.state = "idle";
    this.#changed();
  }

  level(): number {
    return this.#recording?.level() ?? 0;
  }
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).replace(/^[^,]*,/, "")));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}
