"""Conversations, and by hand what of them is trained under real chat templates: what stands between « and »."""

from typing import Any

Row = dict[str, Any]


def user(text: str) -> Row:
    return {"role": "user", "content": text}


def assistant(text: str | None, **more: Any) -> Row:
    return {"role": "assistant", "content": text, **more}


def system(text: str) -> Row:
    return {"role": "system", "content": text}


def result(text: str) -> Row:
    return {"role": "tool", "name": "weather", "content": text}


def call(arguments: Any) -> Row:
    return {"type": "function", "function": {"name": "weather", "arguments": arguments}}


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string", "description": "where"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "the sky", "parameters": PARAMETERS}}]

PLAIN = [user("Hi there"), assistant("Hello!"), user("More"), assistant("Sure thing.")]
CALLS = [
    user("Weather?"),
    assistant("", tool_calls=[call({"city": "Rome"})]),
    result("sunny"),
    assistant("It is warm."),
    user("Thanks"),
    assistant("Bye."),
]
THOUGHTS = [
    user("First?"),
    assistant("One.", reasoning_content="early idea"),
    user("Second?"),
    assistant("Two.", reasoning_content="late idea"),
]
INLINE = [
    user("First?"),
    assistant("<think>\nearly idea\n</think>\n\nOne."),
    user("Second?"),
    assistant("<think>\nlate idea\n</think>\n\nTwo."),
]

CONVERSATIONS: dict[str, Row] = {
    "single": {"messages": [user("Hi there"), assistant("Hello!")]},
    "plain": {"messages": PLAIN},
    "system": {"messages": [system("Be nice."), *PLAIN]},
    "calls": {"messages": CALLS, "tools": TOOLS},
    "last call": {
        "messages": [user("Weather?"), assistant("", tool_calls=[call({"city": "Rome", "days": 3})])],
        "tools": TOOLS,
    },
    "numbers": {
        "messages": [
            user("Weather?"),
            assistant("", tool_calls=[call({"days": 3})]),
            result("sunny"),
            assistant("It is warm."),
        ],
        "tools": TOOLS,
    },
    "text and call": {
        "messages": [
            user("Weather?"),
            assistant("Let me look.", tool_calls=[call({"city": "Rome"})]),
            result("sunny"),
            assistant("It is warm."),
        ],
        "tools": TOOLS,
    },
    "two calls": {
        "messages": [
            user("Weather?"),
            assistant("", tool_calls=[call({"city": "Rome"}), call({"city": "Oslo"})]),
            result("sunny"),
            result("rain"),
            assistant("Both."),
        ],
        "tools": TOOLS,
    },
    "thoughts": {"messages": THOUGHTS},
    "thoughts in text": {"messages": INLINE},
    "thought and call": {
        "messages": [
            user("Weather?"),
            assistant("", reasoning_content="ask a tool", tool_calls=[call({"city": "Rome"})]),
            result("sunny"),
            assistant("It is warm.", reasoning_content="so it is"),
        ],
        "tools": TOOLS,
    },
    "spaces": {"messages": [user(" Hi \n"), assistant("\n  Hello!  \n"), user("More"), assistant(" Sure thing.\n\n")]},
    "letters": {"messages": [user("Été?"), assistant("Ça va 🙂🙃 \u2028 ok"), user("Oui"), assistant("日本語。")]},
    "repeats": {
        "messages": [user("ok"), assistant("ok"), user("ok"), assistant("assistant"), user("user"), assistant("<|x|>")]
    },
}

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA2 = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}"
    "{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
# Ends a turn with a text only, so that nothing would teach the model to stop
NO_END = "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\n' }}{% endfor %}"
TEMPLATES = {"smollm2": SMOLLM2, "llama2": LLAMA2, "no end": NO_END}

HI = "<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n"
MORE = "\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n"
SAID = HI + "«Hello!<|im_end|>»" + MORE + "«Sure thing.<|im_end|>»\n"
EMPTY = "<think>\n\n</think>\n\n"
QWEN_CALL = '«<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call><|im_end|>»'
QWEN_RESULT = "\n<|im_start|>user\n<tool_response>\nsunny\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
THANKS = "\n<|im_start|>user\nThanks<|im_end|>\n<|im_start|>assistant\n"
LLAMA_USER = "<|start_header_id|>user<|end_header_id|>\n\n"
LLAMA_ASSISTANT = "<|start_header_id|>assistant<|end_header_id|>\n\n"
LLAMA_SAID = (
    LLAMA_USER
    + "Hi there<|eot_id|>"
    + LLAMA_ASSISTANT
    + "«Hello!<|eot_id|>»"
    + LLAMA_USER
    + "More<|eot_id|>"
    + LLAMA_ASSISTANT
    + "«Sure thing.<|eot_id|>»"
)
GEMMA_SAID = (
    "Hi there<end_of_turn>\n<start_of_turn>model\n«Hello!<end_of_turn>»\n"
    "<start_of_turn>user\nMore<end_of_turn>\n<start_of_turn>model\n«Sure thing.<end_of_turn>»\n"
)
COHERE_USER, COHERE_BOT = "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>", "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
COHERE_END = "<|END_OF_TURN_TOKEN|>"
DEEPSEEK_END, DEEPSEEK_CALL = (
    "<｜end▁of▁sentence｜>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>",
)
DEEPSEEK_ARGUMENTS = 'weather\n```json\n{"city": "Rome"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
DEEPSEEK_RESULT = "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>sunny<｜tool▁output▁end｜><｜tool▁outputs▁end｜>"
GLM_CALL = "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>"
GLM_RESULT = "\n<tool_response>\nsunny\n</tool_response>"
FINAL = "<|start|>assistant<|channel|>final<|message|>"
OSS_CALL = ' to=functions.weather<|channel|>commentary json<|message|>{"city": "Rome"}<|call|>'
OSS_RESULT = '<|start|>functions.weather to=assistant<|channel|>commentary<|message|>"sunny"<|end|>'
XML_CALL = "<tool_call>\n<function=weather>\n<parameter=city>\nRome\n</parameter>\n</function>\n</tool_call><|im_end|>"

# (template, conversation): the whole rendered text, or its end after … of which nothing is trained
EXPECTED: dict[tuple[str, str], str] = {
    ("smollm2", "plain"): "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n" + SAID,
    ("smollm2", "system"): "<|im_start|>system\nBe nice.<|im_end|>\n" + SAID,
    ("smollm2", "thoughts in text"): "…<|im_start|>assistant\n«<think>\nearly idea\n</think>\n\nOne.<|im_end|>»\n"
    "<|im_start|>user\nSecond?<|im_end|>\n<|im_start|>assistant\n«<think>\nlate idea\n</think>\n\nTwo.<|im_end|>»\n",
    ("smollm2", "spaces"): "…<|im_start|>user\n Hi \n<|im_end|>\n<|im_start|>assistant\n«\n  Hello!  \n<|im_end|>»"
    + MORE
    + "« Sure thing.\n\n<|im_end|>»\n",
    (
        "smollm2",
        "repeats",
    ): "…<|im_start|>user\nok<|im_end|>\n<|im_start|>assistant\n«ok<|im_end|>»\n<|im_start|>user\n"
    "ok<|im_end|>\n<|im_start|>assistant\n«assistant<|im_end|>»\n<|im_start|>user\nuser<|im_end|>\n"
    "<|im_start|>assistant\n«<|x|><|im_end|>»\n",
    ("qwen2_5", "single"): "…" + HI + "«Hello!<|im_end|>»\n",
    ("qwen2_5", "system"): "<|im_start|>system\nBe nice.<|im_end|>\n" + SAID,
    ("qwen2_5", "calls"): "…<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n"
    + QWEN_CALL
    + QWEN_RESULT
    + "«It is warm.<|im_end|>»"
    + THANKS
    + "«Bye.<|im_end|>»\n",
    ("qwen2_5", "text and call"): "…<|im_start|>assistant\n«Let me look.\n"
    + QWEN_CALL[1:]
    + QWEN_RESULT
    + "«It is warm.<|im_end|>»\n",
    ("qwen3", "single"): HI + EMPTY + "«Hello!<|im_end|>»\n",
    ("qwen3", "system"): "<|im_start|>system\nBe nice.<|im_end|>\n"
    + HI
    + "«Hello!<|im_end|>»"
    + MORE
    + EMPTY
    + "«Sure thing.<|im_end|>»\n",
    ("qwen3", "thoughts"): "<|im_start|>user\nFirst?<|im_end|>\n<|im_start|>assistant\n«One.<|im_end|>»\n"
    "<|im_start|>user\nSecond?<|im_end|>\n<|im_start|>assistant\n«<think>\nlate idea\n</think>\n\nTwo.<|im_end|>»\n",
    ("qwen3", "thoughts in text"): "<|im_start|>user\nFirst?<|im_end|>\n<|im_start|>assistant\n«One.<|im_end|>»\n"
    "<|im_start|>user\nSecond?<|im_end|>\n<|im_start|>assistant\n«<think>\nlate idea\n</think>\n\nTwo.<|im_end|>»\n",
    ("qwen3", "thought and call"): "…<|im_start|>assistant\n«<think>\nask a tool\n</think>\n\n"
    + QWEN_CALL[1:]
    + QWEN_RESULT
    + "«<think>\nso it is\n</think>\n\nIt is warm.<|im_end|>»\n",
    ("qwen3", "last call"): "…<|im_start|>assistant\n" + EMPTY + '«<tool_call>\n{"name": "weather", "arguments": '
    '{"city": "Rome", "days": 3}}\n</tool_call><|im_end|>»\n',
    ("qwen3", "calls"): "…<|im_start|>assistant\n"
    + QWEN_CALL
    + QWEN_RESULT
    + "«It is warm.<|im_end|>»"
    + THANKS
    + EMPTY
    + "«Bye.<|im_end|>»\n",
    # The generation prompt opens the reasoning here, so `<think>` is not the model's to write.
    ("qwen3_5_think", "thoughts"): "<|im_start|>user\nFirst?<|im_end|>\n<|im_start|>assistant\n«One.<|im_end|>»\n"
    "<|im_start|>user\nSecond?<|im_end|>\n<|im_start|>assistant\n<think>\n«late idea\n</think>\n\nTwo.<|im_end|>»\n",
    ("qwen3_5_think", "calls"): "…<|im_start|>assistant\n«"
    + XML_CALL
    + "»"
    + QWEN_RESULT
    + "«It is warm.<|im_end|>»"
    + THANKS
    + EMPTY
    + "«Bye.<|im_end|>»\n",
    ("llama3", "single"): "<bos>" + LLAMA_USER + "Hi there<|eot_id|>" + LLAMA_ASSISTANT + "«Hello!<|eot_id|>»",
    ("llama3", "system"): "<bos><|start_header_id|>system<|end_header_id|>\n\nBe nice.<|eot_id|>" + LLAMA_SAID,
    ("llama3", "spaces"): "<bos>" + LLAMA_SAID.replace("Hi there", "Hi"),
    ("llama3_1", "plain"): "…<|eot_id|>" + LLAMA_SAID,
    ("llama3_1", "calls"): "…Weather?<|eot_id|>"
    + LLAMA_ASSISTANT
    + '«{"name": "weather", "parameters": {"city": "Rome"}}<|eot_id|>»<|start_header_id|>ipython<|end_header_id|>\n\n'
    + '"sunny"<|eot_id|>'
    + LLAMA_ASSISTANT
    + "«It is warm.<|eot_id|>»"
    + LLAMA_USER
    + "Thanks<|eot_id|>"
    + LLAMA_ASSISTANT
    + "«Bye.<|eot_id|>»",
    ("gemma", "plain"): "<bos><start_of_turn>user\n" + GEMMA_SAID,
    ("gemma", "spaces"): "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n«Hello!<end_of_turn>»\n"
    "<start_of_turn>user\nMore<end_of_turn>\n<start_of_turn>model\n«Sure thing.<end_of_turn>»\n",
    ("gemma3", "system"): "<bos><start_of_turn>user\nBe nice.\n\n" + GEMMA_SAID,
    ("phi3", "system"): "<|system|>\nBe nice.<|end|>\n<|user|>\nHi there<|end|>\n<|assistant|>\n«Hello!<|end|>»\n"
    "<|user|>\nMore<|end|>\n<|assistant|>\n«Sure thing.<|end|>»\n<eos>",
    ("cohere", "system"): "<bos><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>Be nice."
    + COHERE_END
    + COHERE_USER
    + "Hi there"
    + COHERE_END
    + COHERE_BOT
    + "«Hello!"
    + COHERE_END
    + "»"
    + COHERE_USER
    + "More"
    + COHERE_END
    + COHERE_BOT
    + "«Sure thing."
    + COHERE_END
    + "»",
    ("cohere2", "plain"): "…" + COHERE_USER + "Hi there" + COHERE_END + COHERE_BOT + "<|START_RESPONSE|>«Hello!"
    "<|END_RESPONSE|>" + COHERE_END + "»" + COHERE_USER + "More" + COHERE_END + COHERE_BOT + "<|START_RESPONSE|>"
    "«Sure thing.<|END_RESPONSE|>" + COHERE_END + "»",
    ("deepseekv3", "system"): "<bos>Be nice.<｜User｜>Hi there<｜Assistant｜>«Hello!"
    + DEEPSEEK_END
    + "»<｜User｜>More"
    "<｜Assistant｜>«Sure thing." + DEEPSEEK_END + "»",
    ("deepseekv3", "calls"): "<bos><｜User｜>Weather?<｜Assistant｜>«"
    + DEEPSEEK_CALL
    + DEEPSEEK_ARGUMENTS
    + DEEPSEEK_END
    + "»"
    + DEEPSEEK_RESULT
    + "«It is warm."
    + DEEPSEEK_END
    + "»<｜User｜>Thanks<｜Assistant｜>«Bye."
    + DEEPSEEK_END
    + "»",
    # GLM's turns end with the token that opens the next one; the last turn gets it too.
    ("glm4moe", "system"): "[gMASK]<sop><|system|>\nBe nice.<|user|>\nHi there<|assistant|>\n<think></think>\n«Hello!"
    "<|user|>»\nMore<|assistant|>\n<think></think>\n«Sure thing.<|user|>»",
    ("glm4moe", "calls"): "…<|user|>\nWeather?<|assistant|>\n<think></think>\n«"
    + GLM_CALL
    + "<|observation|>»"
    + GLM_RESULT
    + "<|assistant|>\n<think></think>\n«It is warm.<|user|>»\nThanks<|assistant|>\n<think></think>\n"
    "«Bye.<|user|>»",
    ("glm4moe", "thoughts"): "[gMASK]<sop><|user|>\nFirst?<|assistant|>\n<think></think>\n«One.<|user|>»\nSecond?"
    "<|assistant|>«\n<think>late idea</think>\nTwo.<|user|>»",
    ("gptoss", "plain"): "…<|start|>user<|message|>Hi there<|end|>" + FINAL + "«Hello!<|end|>»<|start|>user<|message|>"
    "More<|end|>" + FINAL + "«Sure thing.<|return|>»",
    ("gptoss", "calls"): "…Weather?<|end|><|start|>assistant«"
    + OSS_CALL
    + "»"
    + OSS_RESULT
    + FINAL
    + "«It is warm.<|end|>»<|start|>user<|message|>Thanks<|end|>"
    + FINAL
    + "«Bye.<|return|>»",
    ("gptoss", "thoughts"): "…First?<|end|>" + FINAL + "«One.<|end|>»<|start|>user<|message|>Second?<|end|>"
    "<|start|>assistant«<|channel|>analysis<|message|>late idea<|end|>" + FINAL + "Two.<|return|>»",
}
