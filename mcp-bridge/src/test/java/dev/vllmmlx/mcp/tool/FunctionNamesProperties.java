package dev.vllmmlx.mcp.tool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

final class FunctionNamesProperties {

  @Property
  void everyToolOfEveryServerHasAValidNameOfItsOwn(
      @ForAll @Size(max = 5)
          Set<@StringLength(max = 40) @Chars({'a', '_', '-', '.', ' ', 'ß', '9'}) String> servers,
      @ForAll @Size(max = 8)
          Set<@StringLength(max = 90) @Chars({'b', '_', '-', '/', '中'}) String> tools) {
    var names = new LinkedHashSet<String>();
    var parts = FunctionNames.ofServers(servers);
    for (var server : servers) {
      var ofServer = FunctionNames.ofTools(parts.get(server), tools);
      assertThat(ofServer.keySet()).containsExactlyInAnyOrderElementsOf(tools);
      names.addAll(ofServer.values());
    }
    assertThat(names).hasSize(servers.size() * tools.size());
    assertThat(names).allMatch(name -> name.matches("[a-zA-Z0-9_-]{1,64}"));
  }

  @Example
  void whatIsValidStaysAsItIs() {
    assertThat(FunctionNames.ofServers(List.of("time", "my-files")).values())
        .containsExactly("time", "my-files");
    assertThat(FunctionNames.ofTools("time", List.of("get_current_time", "a__b")).values())
        .containsExactly("time__get_current_time", "time__a__b");
  }

  @Example
  void whatIsNotIsMadeSoReadably() {
    assertThat(FunctionNames.ofServers(List.of("My Files!", "a__b", "中文")).values())
        .containsExactlyInAnyOrder("My_Files", "a_b", "server");
    assertThat(FunctionNames.ofTools("s", List.of("files/read.all")))
        .containsValue("s__files_read_all");
  }

  @Example
  void aNameDoesNotDependOnTheOrderOfOthers() {
    var one = FunctionNames.ofTools("s", List.of("a.b", "a/b", "a_b"));
    var other = FunctionNames.ofTools("s", List.of("a_b", "a/b", "a.b"));
    assertThat(one).isEqualTo(other);
    assertThat(one).containsEntry("a_b", "s__a_b");
  }

  @Example
  void longNamesAreCutAndStayApart() {
    var long1 = "x".repeat(80) + "1";
    var long2 = "x".repeat(80) + "2";
    var names = FunctionNames.ofTools("s", List.of(long1, long2));
    assertThat(names.get(long1)).startsWith("s__xxxxx").hasSizeLessThanOrEqualTo(64);
    assertThat(names.get(long1)).isNotEqualTo(names.get(long2));
  }
}
