"""What these tests say to the assistant, and what it shows then.

Only this file and `page_assistant.js` know which assistant answers.
"""

# A message that needs no tool.
HELLO = "Hello"

# A question that a tool answers at once.
QUESTION = "What is 7 * 6?"
ANSWER = "42"

# An answer that takes some seconds.
STORY = "Tell me a long story"
STORY_BEGINS = "It begins here"
STORY_ENDS = "It ends here"

# A tool that reports its progress, and a message that gives it something to find.
SLOW_SUBJECT = "What is 2 + 2?"
SLOW = "Please look around"
SLOW_PROGRESS = "of 3"
SLOW_ANSWER = "There is nothing"

# A card with three boxes. Each box is a sync action, and can be mentioned.
CARD = "Show me the list"
CARD_BOX = "milk"
CARD_OTHER_BOX = "bread"
CARD_OPEN = "{} open"
MENTION_TYPE = "item"
MENTION_GROUP = "Items"

# A form with the fields Name and Email (`name` and `email`).
FORM = "Show me the form"
FORM_ERROR = "That is no address"
FORM_SENT = "The form was sent already"

# A list. The assistant goes on when one of its options is chosen.
CHOICE = "Let us vote"
CHOICE_OPTION = "Rome"

# A card whose button Dark the page handles before it calls the server.
PAGE_CARD = "Show me the looks"

# A card whose text streams. An effect gives its title to the page.
NOTE = "Write a memo"
NOTE_TITLE = "Memo"
NOTE_ENDS = "to its end"

# A form of questions (`structured_input`) with free text and options.
INTERVIEW = "Please ask me"
INTERVIEW_OPTION = "Little"

# A tool of the page that makes it dark.
PAGE_TOOL = "Make it dark"
PAGE_TOOL_RESULT = {"theme": "dark"}

# The tool that `page_assistant.js` calls Sums.
MENU_TOOL = "multiply"
MENU_TOOL_MESSAGE = "12 * 12"
MENU_TOOL_ANSWER = "144"
