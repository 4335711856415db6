"""The codes of what a wire form cannot say, TF340 to TF349: a title, and what `tuneform explain` says of each."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "TF340": (
        "no wire form for such rows",
        """The target takes no rows of this shape or for this method, as they are. Where an expansion (`--expand`)
would say the same in another form, the message names it; it is not taken unasked, because the service then puts its
own template around the text.

    {"prompt": "2+2?", "completion": "4"}      a chat form takes it with `--expand as-chat`""",
    ),
    "TF341": (
        "a weight that the wire form cannot say",
        """`weight: 0` takes a turn out of the loss. A form without weights would train it all the same, which is
another objective. OpenAI and Azure know weights of the assistant's turns, Together of any turn in a conversation;
the pairs and prompts of no service do.

    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hm.", "weight": 0}]}""",
    ),
    "TF342": (
        "several answers, and no word on which are trained",
        """The service does not document whether it trains every turn of the assistant or only the last. Say on what
you count: `--expand all-turns` keeps the row whole, `--expand split-turns` writes one row for each trained turn
with the earlier turns as context. Where a turn has weight 0, only the latter can be right.

    {"messages": [user, assistant, user, assistant]}""",
    ),
    "TF343": (
        "tools that the wire form cannot say",
        """The form has no place for tools, calls of them or their answers, or only for calls with an id. Removing them
would train another conversation.

    {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "add", "arguments": {}}}]}""",
    ),
    "TF344": (
        "turns in an order that the wire form cannot say",
        """Many services want turns of user and assistant to alternate, the user's first, and take a system message
only before them, or none. Merging turns would change what is trained, so it is left to you.

    {"messages": [user, assistant, assistant]}""",
    ),
    "TF345": (
        "a part of a message that the wire form cannot say",
        """The form has no place for this key: reasoning_content, name, tool_call_id or chat_template_kwargs. Remove it
from the data if the training can do without.

    {"role": "assistant", "content": "4", "reasoning_content": "Two and two."}""",
    ),
    "TF346": (
        "a word that the service reserves",
        """Texts for Amazon Nova may not have `System:`, `User:`, `Bot:`, `Assistant:`, `[EOS]`, `<image>` or
`<video>`: the service fails the whole job. Write the text otherwise.

    {"role": "user", "content": "User: what is new?"}""",
    ),
    "TF347": (
        "references that the wire form cannot say",
        """The columns beside a prompt are what rewards compare with. Bedrock wants one of them to be
`reference_answer`; Gemini wants all of them to be texts; and no column may have the name of the form's own keys.

    {"messages": [user], "answer": 4}""",
    ),
    "TF348": (
        "beyond a limit of the service",
        """The service takes so many rows, bytes or tokens in a file and no more, or no fewer. The limits are dated:
the message says as of when, and from where. Tokens are counted only where the tokenizer is public.

    8 rows for Claude 3 Haiku on Bedrock, which wants at least 32""",
    ),
    "TF349": (
        "rows that were expanded",
        """An expansion that you allowed was taken: the note names it, how many rows it was, and the first of them.

    tuneform data convert chats.jsonl --to vertex-gemini --expand split-turns -o out.jsonl""",
    ),
}
