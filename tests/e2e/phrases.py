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
STORY_BEGINS = "Once upon a time"
STORY_ENDS = "sleeping there still"

# A tool that reports its progress, and a message that gives it something to find.
SLOW_SUBJECT = "What time is it in Tokyo?"
SLOW = "Find my conversations about Tokyo"
SLOW_PROGRESS = "of 1"
SLOW_ANSWER = "I found"

# A card with three boxes. Each box is a sync action, and can be mentioned.
CARD = "Show me my checklist"
CARD_BOX = "Say hello"
CARD_OTHER_BOX = "Tick this off"
CARD_OPEN = "{} to do"
MENTION_TYPE = "task"
MENTION_GROUP = "Tasks"

# A form with the fields Name and Email (`name` and `email`).
FORM = "I want to add a contact"
FORM_ERROR = "Write an address such as"
FORM_SENT = "This form was already sent"

# A list. The assistant goes on when one of its options is chosen.
CHOICE = "Give me a choice"
CHOICE_OPTION = "To the sea"

# A card whose button Dark the page handles before it calls the server.
PAGE_CARD = "Show me the appearance"

# A card whose text streams. An effect gives its title to the page.
NOTE = "Write a note about rivers"
NOTE_TITLE = "Rivers"
NOTE_ENDS = "in the table"

# A form of questions (`structured_input`) with free text and options.
INTERVIEW = "Ask me something"
INTERVIEW_OPTION = "A short explanation"

# A tool of the page that makes it dark.
PAGE_TOOL = "Dark mode, please"
PAGE_TOOL_RESULT = {"theme": "dark"}

# The tool that `page_assistant.js` calls Sums.
MENU_TOOL = "calculate"
MENU_TOOL_MESSAGE = "12 * 12"
MENU_TOOL_ANSWER = "144"
