"""What holds of each chat template that TRL 1.16.0 ships; kept by test_prepare.py."""

from .prepare_cases import CONVERSATIONS

# How a turn's trained text ends: the template's own end tokens, by hand
ENDS: dict[str, tuple[str, ...]] = {
    "cohere": ("<|END_OF_TURN_TOKEN|>",),
    "cohere2": ("<|END_RESPONSE|><|END_OF_TURN_TOKEN|>",),
    "deepseek_r1_distill": ("<｜end▁of▁sentence｜>",),
    "deepseekv3": ("<｜end▁of▁sentence｜>",),
    "diffusion_gemma": ("<turn|>", "<|tool_response>"),
    "gemma": ("<end_of_turn>",),
    "gemma3": ("<end_of_turn>",),
    "gemma4": ("<turn|>", "<|tool_response>"),
    "gemma4_v2": ("<turn|>",),
    "gemma4_v3": ("<turn|>", "<|tool_response>"),
    "gemma4_v4": ("<turn|>", "<|tool_response>"),
    "gemma4_v5": ("<turn|>", "<|tool_response>"),
    "glm4moe": ("<|user|>", "<|observation|>"),
    "gptoss": ("<|end|>", "<|return|>", "<|call|>"),
    "idefics3": (),
    "llama3": ("<|eot_id|>",),
    "llama3_1": ("<|eot_id|>",),
    "llama3_2": ("<|eot_id|>",),
    "llava_next": (),
    "muse_glimmer": ("<|eot|>",),
    "phi3": ("<|end|>",),
    "phi3_5": ("<|end|>",),
    "smolvlm": (),
} | dict.fromkeys(
    (
        *("lfm2", "lfm2_2_5", "lfm2_2_5_v2", "lfm2_2_5_vl", "lfm2_v2", "nemotron_3_5_lightning", "nemotron_3_nano"),
        *("nemotron_3_super", "nemotron_3_ultra", "qwen2_5", "qwen2_5_vl", "qwen3", "qwen3_5_nothink"),
        *("qwen3_5_think", "qwen3_6", "qwen3_8", "qwen3_instruct_2507", "qwen3_vl"),
    ),
    ("<|im_end|>",),
)

CALLS = ("calls", "last call", "numbers", "text and call", "two calls", "thought and call")
DROPS = "the chat template leaves out its text or calls"
ALTERNATE = "roles must alternate"  # so that a tool's result has no place
NO_CALLS = dict.fromkeys(CALLS, DROPS)
NO_RESULTS = dict.fromkeys(CALLS, ALTERNATE) | {"last call": DROPS}
# The result of the tool is rendered inside the assistant's turn, before its text.
AROUND = {"text and call": "cannot tell where message 2 starts and ends"}
ONE_CALL = {"two calls": "only supports single tool-calls at once", "text and call": DROPS}
# Models that see: their templates want content as a list of parts, not as text.
PARTS = dict.fromkeys(CONVERSATIONS, DROPS) | dict.fromkeys(CALLS, "str object has no element 0")

# The conversations that are an error, with the reason
REFUSED: dict[str, dict[str, str]] = {name: {} for name in ENDS} | {
    "cohere": NO_RESULTS,
    "cohere2": NO_RESULTS,
    "deepseek_r1_distill": NO_CALLS,
    "diffusion_gemma": AROUND,
    "gemma": NO_RESULTS | {"system": "System role not supported"},
    "gemma3": NO_RESULTS,
    "gemma4": AROUND,
    "gemma4_v3": AROUND,
    "gemma4_v4": AROUND,
    "gemma4_v5": AROUND,
    "gptoss": {"two calls": DROPS, "text and call": DROPS},
    "idefics3": PARTS | {"text and call": DROPS},
    "lfm2": NO_CALLS,
    "llama3": NO_CALLS,
    "llama3_1": ONE_CALL,
    "llama3_2": ONE_CALL,
    "llava_next": dict.fromkeys(CONVERSATIONS, "the chat template refuses it: "),
    "muse_glimmer": {"text and call": DROPS},
    "phi3": NO_CALLS,
    "phi3_5": NO_CALLS,
    "qwen2_5_vl": NO_CALLS,
    "smolvlm": PARTS | {"text and call": DROPS},
}

# The SHA-256 of each template, and what TRL's `assistant_only_loss=True` gives beside prepare.py over all conversations
# that prepare.py takes. TRL swaps its own template in for most of them, which may change the tokens; others it refuses.
NATIVE: dict[str, tuple[str, str]] = {
    "cohere": (
        "90c33aee14aa2a226127516d48ee9184c9b90745d4a04c484621ec2e82fb712c",
        "equal",
    ),
    "cohere2": (
        "2147c474f41b522b7296f74692b9f31e45f49a31465960576a9d321339c5915a",
        "equal",
    ),
    "deepseek_r1_distill": (
        "56a1447ad31926fdc21fb07e56e5642bd9c850c4f52d8c8af7bbe5f079a84f5f",
        "other labels, other tokens",
    ),
    "deepseekv3": (
        "563b1ce7d61d50a9b4c7439a912a1116f095b712df5b5e4d3e1116049874eb64",
        "other labels",
    ),
    "diffusion_gemma": (
        "9aeb7eac68ad87bba7567e9d4597ff203e5609f1b427d9e823437d0142cc61bf",
        "other labels",
    ),
    "gemma": (
        "ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6",
        "other labels",
    ),
    "gemma3": (
        "7de1c58e208eda46e9c7f86397df37ec49883aeece39fb961e0a6b24088dd3c4",
        "other labels",
    ),
    "gemma4": (
        "33204f1acb5bd0002713e16a593847f24ceeafe711ed88bda2a352dc996a3373",
        "refused: ValueError",
    ),
    "gemma4_v2": (
        "55572b8d3c8342044e25874c73fe5234b661fa0a57a57f6ef75b58e03d7d959a",
        "refused: ValueError",
    ),
    "gemma4_v3": (
        "781d10940fbc44be40064b5d43a056fc486c84ceaa55538226368b57314132bf",
        "refused: ValueError",
    ),
    "gemma4_v4": (
        "2f1b4d75d067bae3fe44e676721c7f077d243bc007156cb9c2f8b5836613d082",
        "refused: ValueError",
    ),
    "gemma4_v5": (
        "0a2c8073c878ab1da004bee933a998606537bbb62016310352c7285c3f01c5b5",
        "refused: ValueError",
    ),
    "glm4moe": (
        "44f815868bf02fa458dd2f741a338046f4bf45f398eb6d067766726b9d96cce3",
        "equal, other labels",
    ),
    "gptoss": (
        "a4c9919cbbd4acdd51ccffe22da049264b1b73e59055fa58811a99efbd7c8146",
        "other labels",
    ),
    "idefics3": (
        "0d7e56ca41705b79932de707b22bc855c3cfcefae62f1ac5e458560654883d2e",
        "",
    ),
    "lfm2": (
        "cef187400d62a59507aab3a642ea9a8d2a2ef263562bc3430560e116945273cf",
        "other labels",
    ),
    "lfm2_2_5": (
        "6d65c8804847ad74eea912dd7eca3dc1cf7a457b53a77f47d841a14121910963",
        "other labels",
    ),
    "lfm2_2_5_v2": (
        "c5b67247c9f736f6c40eaa91ae1ef27dc67f5b041eedaadb97a1bea5030fb0ff",
        "other labels",
    ),
    "lfm2_2_5_vl": (
        "86f4770449a4797c9b4212d110b0cc70fb993c1ce960095bcfb12eea22f61cca",
        "other labels",
    ),
    "lfm2_v2": (
        "5504d163d879bfb6fd4135b7fa3d56768b2e69dd718338f7b146750289f46ab0",
        "other labels",
    ),
    "llama3": (
        "ba03a121d097859c7b5b9cd03af99aafe95275210d2876f642ad9929a150f122",
        "equal",
    ),
    "llama3_1": (
        "e10ca381b1ccc5cf9db52e371f3b6651576caee0a630b452e2816b2d404d4b65",
        "refused: ValueError",
    ),
    "llama3_2": (
        "5816fce10444e03c2e9ee1ef8a4a1ea61ae7e69e438613f3b17b69d0426223a4",
        "refused: ValueError",
    ),
    "llava_next": (
        "2c17243a977fd0643fb549a509a8e2684f45517df0f9f608d5893b719f16569f",
        "",
    ),
    "muse_glimmer": (
        "cfc67e5f349f37690dfd31ed1f18bc4442a9dd32fe39a648f993cb4eb3cae678",
        "other labels",
    ),
    "nemotron_3_5_lightning": (
        "58933db77d3099b4f78c55a38347a72e1ea05b97d6bd8f38775303dc0194e0a9",
        "other labels",
    ),
    "nemotron_3_nano": (
        "ab7813c3abdd9cb655905a410728b26c7884eca45ddfab8d9f931553485a7862",
        "other labels",
    ),
    "nemotron_3_super": (
        "575fb74f54ed264df9047d0ecce3c98938aae953fb4f50356675706264cbb68a",
        "other labels",
    ),
    "nemotron_3_ultra": (
        "82753bef5cedc4932c1ed509b5c9a12be680fd86d1adb65bc3f7398d11c8eebc",
        "other labels",
    ),
    "phi3": (
        "dcaee66df77bfbb789ec541fe713218da30225a526f1db97138fc39ee6dc56aa",
        "other labels",
    ),
    "phi3_5": (
        "78d976a442bcde2f0be15aafbb8e3050e1104f86732266f68403251b89982a90",
        "other labels",
    ),
    "qwen2_5": (
        "cd8e9439f0570856fd70470bf8889ebd8b5d1107207f67a5efb46e342330527f",
        "other labels",
    ),
    "qwen2_5_vl": (
        "a0bc6f6fc7a29a80017a433e8f03a1cc1236e838a944a2d034295a60c4f2fddb",
        "other labels",
    ),
    "qwen3": (
        "a55ee1b1660128b7098723e0abcd92caa0788061051c62d51cbe87d9cf1974d8",
        "other labels, other tokens",
    ),
    "qwen3_5_nothink": (
        "273d8e0e683b885071fb17e08d71e5f2a5ddfb5309756181681de4f5a1822d80",
        "other labels, other tokens",
    ),
    "qwen3_5_think": (
        "a4aee8afcf2e0711942cf848899be66016f8d14a889ff9ede07bca099c28f715",
        "other labels, other tokens",
    ),
    "qwen3_6": (
        "e84f32a23fdda27689f868aa4a1a5621f41133e51a48d7f3efcbea2839574259",
        "other labels, other tokens",
    ),
    "qwen3_8": (
        "c3cf9e34abf4f9e36c2d72165aa9c132d3e2a725b6c2586aaa3a8af9d7a81041",
        "other labels",
    ),
    "qwen3_instruct_2507": (
        "64f85b198065d0fba2a81f37e10ed68161ce2c19a754c7100e67e0ca2ee9c326",
        "other labels",
    ),
    "qwen3_vl": (
        "3636d0f0bd6bef02654cdffdc447b79cb2cef8ab02cc75267345946291a489e4",
        "other labels",
    ),
    "smolvlm": (
        "830005085ddd94cec605b6e21b885b28ffad6e3f82ee6a212c523533e8f04f01",
        "",
    ),
}
