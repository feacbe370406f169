"""Names of real models, as Hugging Face, Ollama, LM Studio and uploaders of GGUF files write them.

The second column is the family's id. A name of a fine-tune or a size that lost filling in the
middle stands with the family that says so.
"""

import pytest

from sirdab.models import catalog

NAMES = """
qwen2.5-coder:0.5b                                        qwen2.5-coder
qwen2.5-coder:1.5b-base                                   qwen2.5-coder
qwen2.5-coder:7b-base-q4_K_M                              qwen2.5-coder
qwen2.5-coder:latest                                      qwen2.5-coder
qwen2.5-coder:32b-instruct-q8_0                           qwen2.5-coder
Qwen/Qwen2.5-Coder-0.5B                                   qwen2.5-coder
Qwen/Qwen2.5-Coder-7B-Instruct                            qwen2.5-coder
Qwen/Qwen2.5-Coder-14B-Instruct-AWQ                       qwen2.5-coder
Qwen/Qwen2.5-Coder-32B-Instruct-GPTQ-Int4                 qwen2.5-coder
Qwen2.5-Coder-1.5B-Instruct-Q4_K_M.gguf                   qwen2.5-coder
qwen2.5-coder-7b-instruct-q8_0-00001-of-00003.gguf        qwen2.5-coder
qwen2.5-coder-7b-instruct-mlx                             qwen2.5-coder
unsloth/Qwen2.5-Coder-7B-bnb-4bit                         qwen2.5-coder
ggml-org/Qwen2.5-Coder-3B-Q8_0-GGUF                       qwen2.5-coder
hf.co/bartowski/Qwen2.5-Coder-14B-GGUF:Q5_K_M             qwen2.5-coder
Qwen2.5_Coder_7B.i1-Q4_K_M.gguf                           qwen2.5-coder
qwen3-coder:30b                                           qwen3-coder
qwen3-coder:30b-a3b-q4_K_M                                qwen3-coder
qwen3-coder:480b-cloud                                    qwen3-coder
Qwen/Qwen3-Coder-30B-A3B-Instruct                         qwen3-coder
Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8                   qwen3-coder
unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF                 qwen3-coder
Qwen3-Coder-30B-A3B-Instruct-UD-Q4_K_XL.gguf              qwen3-coder
hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M    qwen3-coder
qwen/qwen3-coder-30b                                      qwen3-coder
Qwen/Qwen3-Coder-Next                                     qwen3-coder
codeqwen:7b                                               codeqwen
codeqwen:7b-code-v1.5-q5_1                                codeqwen
Qwen/CodeQwen1.5-7B                                       codeqwen
bartowski/CodeQwen1.5-7B-GGUF                             codeqwen
CodeQwen1.5-7B-Q8_0.gguf                                  codeqwen
codeqwen:7b-chat-v1.5-q4_1                                codeqwen-chat
Qwen/CodeQwen1.5-7B-Chat                                  codeqwen-chat
codeqwen-1_5-7b-chat-q8_0.gguf                            codeqwen-chat
NTQAI/Nxcode-CQ-7B-orpo                                   nxcode
Nxcode-CQ-7B-orpo-Q4_K_M.gguf                             nxcode
eramax/nxcode-cq-7b-orpo:q6                               nxcode
tensorblock/Nxcode-CQ-7B-orpo-GGUF                        nxcode
starcoder2:3b                                             starcoder2
starcoder2:15b-q4_K_M                                     starcoder2
starcoder2:latest                                         starcoder2
bigcode/starcoder2-7b                                     starcoder2
second-state/StarCoder2-3B-GGUF                           starcoder2
starcoder2-3b_Q8_0.gguf                                   starcoder2
starcoder2:instruct                                       starcoder2-instruct
starcoder2:15b-instruct-v0.1-q4_0                         starcoder2-instruct
bigcode/starcoder2-15b-instruct-v0.1                      starcoder2-instruct
starcoder:1b                                              starcoder
starcoder:15b-base-q4_K_M                                 starcoder
bigcode/starcoder                                         starcoder
bigcode/starcoderbase-1b                                  starcoder
starcoderbase-3B.Q8_0.gguf                                starcoder
bigcode/tiny_starcoder_py                                 starcoder
HuggingFaceH4/starchat-beta                               starcoder-chat
bigcode/octocoder                                         starcoder-chat
deepseek-coder:1.3b-base                                  deepseek-coder
deepseek-coder:6.7b-base-q5_K_M                           deepseek-coder
deepseek-coder:33b                                        deepseek-coder
deepseek-ai/deepseek-coder-1.3b-base                      deepseek-coder
deepseek-ai/deepseek-coder-5.7bmqa-base                   deepseek-coder
TheBloke/deepseek-coder-6.7B-base-GGUF                    deepseek-coder
deepseek-coder-33b-base.Q4_K_M.gguf                       deepseek-coder
deepseek-coder-1.3b-base-q8_0.gguf                        deepseek-coder
deepseek-coder:6.7b-instruct                              deepseek-coder-instruct
deepseek-ai/deepseek-coder-33b-instruct                   deepseek-coder-instruct
TheBloke/deepseek-coder-1.3b-instruct-GGUF                deepseek-coder-instruct
deepseek-coder-6.7b-instruct.Q5_K_M.gguf                  deepseek-coder-instruct
deepseek-ai/deepseek-coder-7b-base-v1.5                   deepseek-coder-instruct
deepseek-ai/deepseek-coder-7b-instruct-v1.5               deepseek-coder-instruct
deepseek-coder-v2:16b                                     deepseek-coder-v2
deepseek-coder-v2:latest                                  deepseek-coder-v2
deepseek-coder-v2:16b-lite-base-q4_0                      deepseek-coder-v2
deepseek-coder-v2:16b-lite-instruct-q4_K_M                deepseek-coder-v2
deepseek-ai/DeepSeek-Coder-V2-Lite-Base                   deepseek-coder-v2
deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct               deepseek-coder-v2
lmstudio-community/DeepSeek-Coder-V2-Lite-Instruct-GGUF   deepseek-coder-v2
DeepSeek-Coder-V2-Lite-Instruct-Q4_K_M.gguf               deepseek-coder-v2
CISCai/DeepSeek-Coder-V2-Lite-Instruct-SOTA-GGUF          deepseek-coder-v2
deepseek-ai/DeepSeek-Coder-V2-Base                        deepseek-chat
deepseek-ai/DeepSeek-Coder-V2-Instruct                    deepseek-chat
deepseek-coder-v2:236b                                    deepseek-chat
deepseek-coder-v2:236b-instruct-q4_0                      deepseek-chat
deepseek-ai/DeepSeek-V2.5                                 deepseek-v2.5
deepseek-ai/DeepSeek-V2.5-1210                            deepseek-v2.5
deepseek-v2.5:236b                                        deepseek-v2.5
DeepSeek-V2.5-Q2_K-00001-of-00002.gguf                    deepseek-v2.5
deepseek-v2:16b                                           deepseek-chat
deepseek-ai/DeepSeek-V2-Lite-Chat                         deepseek-chat
deepseek-r1:8b                                            deepseek-chat
DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf                 deepseek-chat
unsloth/DeepSeek-R1-Distill-Llama-8B-GGUF                 deepseek-chat
deepseek-llm:7b                                           deepseek-chat
m-a-p/OpenCodeInterpreter-DS-33B                          opencodeinterpreter
m-a-p/OpenCodeInterpreter-DS-6.7B                         opencodeinterpreter
TheBloke/OpenCodeInterpreter-DS-33B-GGUF                  opencodeinterpreter
opencodeinterpreter-ds-6.7b.Q4_K_M.gguf                   opencodeinterpreter
Artigenz/Artigenz-Coder-DS-6.7B                           artigenz-coder
artigenz-coder-ds-6.7b.Q4_K_M.gguf                        artigenz-coder
codellama:7b-code                                         codellama
codellama:13b-code-q4_K_M                                 codellama
codellama:7b                                              codellama
codellama/CodeLlama-7b-hf                                 codellama
codellama/CodeLlama-13b-Instruct-hf                       codellama
meta-llama/CodeLlama-7b-Instruct-hf                       codellama
TheBloke/CodeLlama-7B-GGUF                                codellama
codellama-13b.Q5_K_M.gguf                                 codellama
CodeLlama-7B-Python.Q4_K_M.gguf                           codellama-text
codellama:7b-python                                       codellama-text
codellama:34b                                             codellama-text
codellama:34b-code                                        codellama-text
codellama:70b-instruct                                    codellama-text
codellama/CodeLlama-34b-hf                                codellama-text
codellama/CodeLlama-70b-Instruct-hf                       codellama-text
Phind/Phind-CodeLlama-34B-v2                              codellama-text
phind-codellama:34b-v2-q4_0                               codellama-text
codegemma:2b                                              codegemma
codegemma:7b-code-q4_K_M                                  codegemma
google/codegemma-2b                                       codegemma
google/codegemma-7b-GGUF                                  codegemma
lmstudio-community/codegemma-2b-GGUF                      codegemma
codegemma-7b.Q8_0.gguf                                    codegemma
codegemma:7b-instruct                                     codegemma-it
google/codegemma-7b-it                                    codegemma-it
google/codegemma-1.1-7b-it-GGUF                           codegemma-it
codegemma-7b-it-Q4_K_M.gguf                               codegemma-it
codestral:22b                                             codestral
codestral:22b-v0.1-q4_K_M                                 codestral
mistralai/Codestral-22B-v0.1                              codestral
bartowski/Codestral-22B-v0.1-GGUF                         codestral
Codestral-22B-v0.1-Q4_K_M.gguf                            codestral
mistralai/Mamba-Codestral-7B-v0.1                         codestral-mamba
Mamba-Codestral-7B-v0.1-Q4_K_M.gguf                       codestral-mamba
granite-code:3b                                           granite-code
granite-code:8b-base                                      granite-code
granite-code:20b-base-q4_K_M                              granite-code
ibm-granite/granite-3b-code-base-2k                       granite-code
ibm-granite/granite-8b-code-base-128k                     granite-code
ibm-granite/granite-20b-code-base-8k-GGUF                 granite-code
granite-34b-code-base.Q4_K_M.gguf                         granite-code
granite-code:8b-instruct                                  granite-code-instruct
ibm-granite/granite-8b-code-instruct-4k                   granite-code-instruct
granite-3b-code-instruct-128k-Q4_K_M.gguf                 granite-code-instruct
granite3.3:8b                                             granite
ibm-granite/granite-4.0-h-tiny                            granite
stable-code:3b                                            stable-code
stable-code:3b-code-q4_0                                  stable-code
stabilityai/stable-code-3b                                stable-code
TheBloke/stable-code-3b-GGUF                              stable-code
stable-code:instruct                                      stable-code-instruct
stabilityai/stable-code-instruct-3b                       stable-code-instruct
smallcloudai/Refact-1_6B-fim                              refact
smallcloudai/Refact-1_6-base                              refact
Mungert/Refact-1_6B-fim-GGUF                              refact
smallcloudai-Refact-1_6B-fim-Q4_0.gguf                    refact
bigcode/santacoder                                        santacoder
bigcode/gpt_bigcode-santacoder                            santacoder
JetBrains/Mellum-4b-base                                  mellum
JetBrains/Mellum-4b-sft-python                            mellum
JetBrains/Mellum-4b-base-gguf                             mellum
mellum-4b-sft-kotlin.Q8_0.gguf                            mellum
mradermacher/Mellum-4b-base-GGUF                          mellum
ByteDance-Seed/Seed-Coder-8B-Base                         seed-coder
unsloth/Seed-Coder-8B-Base-GGUF                           seed-coder
Seed-Coder-8B-Base-Q4_K_M.gguf                            seed-coder
ByteDance-Seed/Seed-Coder-8B-Instruct                     seed-coder-instruct
Seed-Coder-8B-Reasoning-bf16-Q6_K.gguf                    seed-coder-instruct
THUDM/codegeex4-all-9b                                    codegeex4
codegeex4:9b-all-q4_0                                     codegeex4
THUDM/codegeex4-all-9b-GGUF                               codegeex4
THUDM/codegeex2-6b                                        codegeex
zed-industries/zeta                                       zeta
zed-industries/zeta-2.1                                   zeta
zeta:7b                                                   zeta
zeta-Q4_K_M.gguf                                          zeta
sweepai/sweep-next-edit-1.5b                              zeta
llama3:8b                                                 llama-3
llama3.1:8b-instruct-q4_K_M                               llama-3
llama3.2                                                  llama-3
llama3.2:1b                                               llama-3
meta-llama/Meta-Llama-3-8B                                llama-3
meta-llama/Llama-3.3-70B-Instruct                         llama-3
Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf                    llama-3
Llama-3.2-3B-Instruct-Q8_0.gguf                           llama-3
phi3:mini                                                 phi-3
phi3.5:3.8b                                               phi-3
microsoft/Phi-3-mini-4k-instruct-gguf                     phi-3
Phi-3-mini-4k-instruct-q4.gguf                            phi-3
phi4-mini:3.8b                                            phi-3
microsoft/Phi-4-mini-instruct                             phi-3
phi4:14b                                                  phi-4
microsoft/phi-4-gguf                                      phi-4
phi-4-Q4_K_M.gguf                                         phi-4
mistral:7b                                                mistral
mistral:7b-instruct-v0.3-q4_K_M                           mistral
mistral:latest                                            mistral
mistralai/Mistral-7B-Instruct-v0.3                        mistral
mistral-7b-instruct-v0.1.Q8_0.gguf                        mistral
THUDM/chatglm3-6b                                         chatglm
chatglm2-6b-int4                                          chatglm
glm4:9b                                                   glm-4
THUDM/glm-4-9b-chat                                       glm-4
zai-org/GLM-4.5-Air                                       glm-4
gemma3:270m                                               gemma
gemma3:1b-it-qat                                          gemma
google/gemma-3-4b-it-qat-q4_0-gguf                        gemma
gemma-3-12b-it-Q4_K_M.gguf                                gemma
gemma2:2b                                                 gemma
smollm2:135m                                              smollm2
HuggingFaceTB/SmolLM2-1.7B-Instruct                       smollm2
SmolLM2-135M-Instruct-Q4_1.gguf                           smollm2
tinyllama:1.1b                                            tinyllama
TinyLlama/TinyLlama-1.1B-Chat-v1.0                        tinyllama
tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf                      tinyllama
qwen2.5:7b                                                qwen
Qwen/Qwen2.5-7B-Instruct                                  qwen
Qwen2.5-0.5B-Instruct-Q8_0.gguf                           qwen
qwen3:8b                                                  qwen
Qwen/Qwen3-30B-A3B-Instruct-2507                          qwen
qwq:32b                                                   qwen
gpt-oss:20b                                               default
nomic-embed-text                                          default
WizardCoder-15B-V1.0.Q4_K_M.gguf                          default
magicoder:7b-s-cl-q4_K_M                                  default
devstral:24b                                              default
my-finetune.gguf                                          default
"""

TABLE = [tuple(line.split()) for line in NAMES.strip().splitlines()]


def test_the_table_is_large_and_has_every_family() -> None:
    assert len(TABLE) >= 150
    assert len({name for name, _ in TABLE}) == len(TABLE)
    # "chatml" is known by its chat template alone.
    assert {family for _, family in TABLE} | {"chatml"} == {
        family.id for family in catalog.families()
    }


@pytest.mark.parametrize(("name", "family"), TABLE, ids=[name for name, _ in TABLE])
def test_the_family_of_a_real_name(name: str, family: str) -> None:
    assert catalog.known_family_of(name).id == family
    assert catalog.known_family_of(name.upper()).id == family
    assert catalog.known_family_of(f"/home/me/qwen2.5-coder/{name}").id == family
