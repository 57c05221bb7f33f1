/**
 * Yours to edit, like the texts in `brand.ts`: what stands in the dialog with a visitor's own data.
 * They are a file of their own because they load with the first click on `yourData`.
 */
export const dataTexts = {
  title: "Your data",
  close: "Close",
  id: "Your id:",
  copy: "Copy",
  copied: "Your id is copied. Name it when you ask about your data.",
  what: "Everything that is stored of you here: conversations, files and what the assistant keeps for you.",
  download: "Download my data",
  downloading: "Your data is being collected…",
  downloaded: "Your data is saved as a file. The links in it, to your files, work for an hour.",
  brokeOff: "The download broke off. Please try again.",
  /** The name of the saved file. */
  file: "my-data.json",
  delete: "Delete my data…",
  consequences:
    "All of your conversations and files will be deleted. You are signed out everywhere, and begin anew.",
  account: "Your account stays where you sign in. Ask there to have it deleted.",
  /** What has to be typed, in small letters. */
  word: "delete",
  confirm: "Type “delete” to go on:",
  deleteForGood: "Delete everything",
  deleting: "Your data is being deleted…",
  deleted: "Your data is deleted.",
  unfinished: "Not everything is deleted yet. Please delete once more: it goes on where it was.",
  unreachable: "The server cannot be reached. Please try again in a moment.",
};
