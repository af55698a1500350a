package dev.vllmmlx.gateway.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.pipeline.Call;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What requests that are in order mean. */
class DecodedRequestTest {
  private static final String MESSAGES = "'messages':[{'role':'user','content':'x'}]";

  private final ScriptedEngine engine = new ScriptedEngine();

  @AfterEach
  void close() {
    engine.close();
  }

  private Call decode(Dialect dialect, String json) {
    var body = Body.parse(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    return dialect
        .decode(body, engine, new Dialect.Defaults(77, Optional.of(Duration.ofSeconds(42))), "r")
        .call();
  }

  private Call chat(String fields) {
    return decode(new ChatDialect(Optional.empty()), "{%s}".formatted(fields));
  }

  private Prompt.Chat prompt(String messages) {
    return (Prompt.Chat) chat("'messages':" + messages).prompts().getFirst();
  }

  @Test
  void takesTheModelsAndTheServersDefaults() {
    var call = chat(MESSAGES);
    assertThat(call.sampling()).isEqualTo(engine.model().defaults());
    assertThat(call.stop()).isEqualTo(StopConditions.after(77));
    assertThat(call.choices()).isEqualTo(1);
    assertThat(call.topLogprobs()).isEmpty();
    assertThat(call.stream()).isFalse();
    assertThat(call.timeout()).contains(Duration.ofSeconds(42));
    assertThat(call.ignored()).isEmpty();
  }

  @Test
  void takesNullForAbsent() {
    var nulls =
        "'temperature':null,'top_p':null,'top_k':null,'min_p':null,'n':null,'seed':null,'stop':null,"
            + "'logit_bias':null,'max_tokens':null,'max_completion_tokens':null,'stream':null,"
            + "'stream_options':null,'logprobs':null,'top_logprobs':null,'tools':null,'user':null,"
            + "'response_format':null,'tool_choice':null,'timeout':null,'store':null,'audio':null,";
    assertThat(chat(nulls + MESSAGES)).isEqualTo(chat(MESSAGES));
  }

  @Test
  void takesWhatTheClientSets() {
    var call =
        chat(
            "'temperature':0,'top_p':0.5,'top_k':-1,'min_p':0.25,'repetition_penalty':1.5,"
                + "'presence_penalty':-2,'frequency_penalty':2,'seed':-9,'n':3,'stream':true,"
                + "'logit_bias':{'5':-100,'999':1.5},'stop':['a','b','a'],'stop_token_ids':[3,4],"
                + "'max_completion_tokens':9,'min_tokens':2,'ignore_eos':true,'timeout':1.5,"
                + "'priority':-3,'logprobs':true,'stream_options':{'include_usage':true},"
                + MESSAGES);
    assertThat(call.sampling())
        .isEqualTo(
            new Sampling(
                0, 0.5f, 0, 0.25f, 1.5f, -2, 2, Map.of(5, -100f, 999, 1.5f), OptionalLong.of(-9)));
    assertThat(call.stop())
        .isEqualTo(new StopConditions(9, 2, List.of("a", "b"), Set.of(3, 4), true));
    assertThat(call.choices()).isEqualTo(3);
    assertThat(call.stream()).isTrue();
    assertThat(call.includeUsage()).isTrue();
    assertThat(call.topLogprobs()).hasValue(0);
    assertThat(call.timeout()).contains(Duration.ofMillis(1500));
    assertThat(call.priority()).isEqualTo(-3);
  }

  @Test
  void takesFieldsThatAskForNothing() {
    var call =
        chat(
            "'tools':[],'tool_choice':'none','response_format':{'type':'text'},'modalities':['text'],"
                + "'store':false,'service_tier':'auto','parallel_tool_calls':true,'metadata':{'a':'b'},"
                + "'user':'u','stop':'one','best_of':1,'length_penalty':1,'skip_special_tokens':true,"
                + "'prompt_cache_key':'k','max_tokens':5,'max_completion_tokens':5,"
                + MESSAGES);
    assertThat(call.ignored()).isEmpty();
    assertThat(call.stop().strings()).containsExactly("one");
  }

  @Test
  void keepsMessagesAsTheyWereSent() {
    assertThat(
            prompt(
                    "[{'role':'system','content':'be brief'},"
                        + "{'role':'user','name':'ann','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]},"
                        + "{'role':'assistant','content':null,'refusal':null,'annotations':[],'reasoning_content':'hm',"
                        + "'tool_calls':[{'id':'c1','type':'function','index':0,'function':{'name':'f','arguments':'{}'}}]},"
                        + "{'role':'tool','tool_call_id':'c1','content':'42'},"
                        + "{'role':'assistant'}]")
                .messages())
        .containsExactly(
            Message.of("system", "be brief"),
            new Message(
                "user",
                Optional.of(
                    new Message.Content.Parts(
                        List.of(new Message.Part.Text("a"), new Message.Part.Text("b")))),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.of("ann")),
            new Message(
                "assistant",
                Optional.empty(),
                Optional.of("hm"),
                List.of(new Message.ToolCall("c1", "f", "{}")),
                Optional.empty(),
                Optional.empty()),
            new Message(
                "tool",
                Optional.of(new Message.Content.Plain("42")),
                Optional.empty(),
                List.of(),
                Optional.of("c1"),
                Optional.empty()),
            new Message(
                "assistant",
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty()));
  }

  @Test
  void keepsTextOfAnyScriptAndWholeSurrogatePairs() {
    assertThat(
            prompt("[{'role':'user','content':'\\ud83d\\ude00 caf\u00e9 \\u0000 \u4e2d'}]")
                .messages())
        .containsExactly(Message.of("user", "\ud83d\ude00 caf\u00e9 \u0000 \u4e2d"));
  }

  @Test
  void givesTheTemplateItsArguments() {
    var call =
        chat(
            "'chat_template_kwargs':{'enable_thinking':false,'deep':{'list':[1,2.5,'a',null]}},"
                + "'continue_final_message':true,'add_generation_prompt':false,"
                + MESSAGES);
    var prompt = (Prompt.Chat) call.prompts().getFirst();
    assertThat(prompt.continueLast()).isTrue();
    assertThat(prompt.templateArguments().toString())
        .isEqualTo("{enable_thinking=false, deep={list=[1, 2.5, a, null]}}");
  }
}
