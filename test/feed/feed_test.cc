// What clients of the event feed are given: everything, in order, each once, from wherever they
// left off.
#include <random>

#include "test/feed/feed_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Feed = FeedTest;

TEST_F(Feed, AClientIsGivenWhatHappensFromNowOn) {
  events(3);
  Reader& reader = follow();
  EXPECT_EQ(reader.text(), "retry: 2000\nid: 3\n\n") << "where it begins, should it be cut";
  event("ro_b", EventType::kPaused);
  EXPECT_EQ(reader.text(),
            "retry: 2000\nid: 3\n\nid: 4\nevent: paused\ndata: {\"rollout\":\"ro_b\"}\n\n");
  events(5);
  EXPECT_EQ(reader.seqs(), from_to(4, 9));
}

TEST_F(Feed, OneThatComesBackGoesOnAfterWhatItHasSeen) {
  events(20);
  for (const std::int64_t after : {0, 1, 7, 19, 20}) {
    SCOPED_TRACE(after);
    Reader& reader = follow(after);
    EXPECT_EQ(reader.seqs(), from_to(after + 1, 20));
    EXPECT_THAT(reader.text(), HasSubstr("id: " + std::to_string(after) + "\n\n"));
  }
  events(2);
  for (const auto& reader : readers) EXPECT_EQ(reader->seqs().back(), 22);
}

TEST_F(Feed, WhatWasMissedIsReadPageByPageUntilTheNewestJoinsOn) {
  FeedLimits limits;
  limits.page = 4;
  limits.client_page = 3;
  start(limits);
  events(50);
  Reader& reader = follow(5);
  EXPECT_EQ(reader.seqs(), from_to(6, 50));
  events(9);
  EXPECT_EQ(reader.seqs(), from_to(6, 59));
}

// Between the answer to a page and what is done with it anything may be recorded and read.
TEST_F(Feed, NothingIsLeftOutOrGivenTwiceAtTheSeam) {
  FeedLimits limits;
  limits.page = 4;
  limits.client_page = 3;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto up_to = [&](int most) {
      return std::uniform_int_distribution<int>(0, most)(random);
    };
    start(limits);
    store.log.clear();
    store.newest = 0;
    events(up_to(30));
    std::function<void()> record = [&] {
      for (int i = up_to(3); i > 0; --i) store.add("ro_a");
      if (up_to(1) == 1) feed->wake();
      if (store.newest < 80) store.while_reading = record;
    };
    store.while_reading = record;
    readers.clear();
    std::vector<std::int64_t> begins;
    for (int i = 0; i < 4; ++i) {
      begins.push_back(up_to(static_cast<int>(store.newest)));
      follow(begins.back());
      events(up_to(3));
    }
    store.while_reading = nullptr;
    events(1);
    for (std::size_t i = 0; i < begins.size(); ++i)
      EXPECT_EQ(readers[i]->seqs(), from_to(begins[i] + 1, store.newest)) << i;
    for (const auto& reader : readers) reader->hang_up();
    settle();
  }
}

TEST_F(Feed, OneReaderServesAll) {
  for (int i = 0; i < 50; ++i) follow();
  clock.advance(Millis{3'000});
  const int before = store.reads;
  store.add("ro_a");
  feed->wake();
  clock.advance(Millis{100});
  EXPECT_EQ(store.reads - before, 1);
  for (const auto& reader : readers) EXPECT_EQ(reader->seqs(), from_to(1, 1));
}

TEST_F(Feed, ManyClientsAreGivenEventsInFewPieces) {
  for (int i = 0; i < 200; ++i) follow();  // 10 ms
  clock.advance(Millis{100});
  const int before = store.reads;
  for (int i = 0; i < 20; ++i) {
    event();
    clock.advance(Millis{1});
  }
  clock.advance(Millis{20});
  EXPECT_LE(store.reads - before, 4);
  for (const auto& reader : readers) EXPECT_EQ(reader->seqs(), from_to(1, 20));
}

TEST_F(Feed, WithoutClientsNothingIsRead) {
  events(5);
  clock.advance(Millis{60'000});
  EXPECT_EQ(store.reads, 0);
  Reader& reader = follow();
  events(2);
  EXPECT_EQ(reader.seqs(), from_to(6, 7));
  reader.hang_up();
  settle();
  EXPECT_EQ(feed->clients(), 0U);
  const int before = store.reads;
  events(2);
  clock.advance(Millis{60'000});
  EXPECT_EQ(store.reads, before);
  EXPECT_EQ(follow(6).seqs(), from_to(7, 9)) << "and all is well for the next";
}

TEST_F(Feed, WhatNobodyTellsOfIsFoundSoonAfter) {
  Reader& reader = follow();
  store.add("ro_a");  // recorded by another node, and its notification was lost
  settle();
  EXPECT_THAT(reader.seqs(), IsEmpty());
  clock.advance(Millis{3'000});
  EXPECT_EQ(reader.seqs(), from_to(1, 1));
}

TEST_F(Feed, FiltersChooseWhatFits) {
  store.add("ro_a", EventType::kPaused, "checkout");
  store.add("ro_b", EventType::kPaused, "cart");
  store.add("ro_a", EventType::kResumed, "checkout");
  store.add("ro_b", EventType::kPromoted, "cart");
  struct Row {
    const char* name;
    FeedFilter filter;
    std::vector<std::int64_t> seqs;
  };
  const std::vector<Row> rows = {
      {"nothing given", {}, {1, 2, 3, 4}},
      {"rollout", {.rollout = "ro_a"}, {1, 3}},
      {"service", {.service = "cart"}, {2, 4}},
      {"namespace", {.ns = "payments"}, {1, 2, 3, 4}},
      {"another namespace", {.ns = "shipping"}, {}},
      {"types", {.types = {EventType::kPaused, EventType::kPromoted}}, {1, 2, 4}},
      {"both", {.service = "cart", .types = {EventType::kPaused}}, {2}},
      {"may see", {.visible = {"shipping", "payments"}}, {1, 2, 3, 4}},
      {"may not see", {.visible = {"shipping"}}, {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Reader& missed = follow(0, row.filter);
    EXPECT_EQ(missed.seqs(), row.seqs);
  }
  // The same of what is new.
  for (const StreamedEvent& event : std::vector<StreamedEvent>(store.log))
    store.add(event.stored.rollout, event.stored.event.type, event.service);
  feed->wake();
  settle();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::int64_t> twice = rows[i].seqs;
    for (const std::int64_t seq : rows[i].seqs) twice.push_back(seq + 4);
    EXPECT_EQ(readers[i]->seqs(), twice) << rows[i].name;
  }
}

TEST_F(Feed, AHeartbeatEveryFifteenSeconds) {
  Reader& all = follow();
  FeedFilter filter;
  filter.rollout = "ro_b";
  Reader& filtered = follow(std::nullopt, filter);
  const std::string begun = all.text();
  clock.advance(Millis{15'000});
  EXPECT_EQ(all.text(), begun + ":\n\n");
  EXPECT_EQ(filtered.text(), begun + ":\n\n");
  events(3);
  clock.advance(Millis{15'000});
  EXPECT_THAT(all.text(), testing::EndsWith("\"}\n\n:\n\n"));
  EXPECT_EQ(filtered.text(), begun + ":\n\n:\nid: 3\n\n")
      << "so far nothing of it has to be read again";
  clock.advance(Millis{15'000});
  EXPECT_EQ(filtered.text(), begun + ":\n\n:\nid: 3\n\n:\n\n");
}

// What was deleted between two others is a hole that nobody misses: who begins after it is served.
TEST_F(Feed, NumbersOfForgottenRolloutsAreLeftOut) {
  events(2, "ro_a");
  events(2, "ro_b");
  events(2, "ro_a");
  store.forget_all_of("ro_b");
  EXPECT_THAT(follow(4).seqs(), ElementsAre(5, 6));
  EXPECT_EQ(refusal(3), "deleted 4 of 6");
}

TEST_F(Feed, OneThatIsInMemoryGoesOnThoughTheStoreHasForgotten) {
  Reader& reader = follow();
  events(4, "ro_a");
  store.forget_all_of("ro_a");
  EXPECT_EQ(follow(1).seqs(), from_to(2, 4));
  event("ro_b");
  EXPECT_EQ(reader.seqs(), from_to(1, 5));
}

TEST_F(Feed, ANumberThatCannotBeGoneOnFromIsRefused) {
  events(9, "ro_a");
  event("ro_b");
  store.forget_all_of("ro_a");
  EXPECT_EQ(refusal(0), "deleted 9 of 10");
  EXPECT_EQ(refusal(8), "deleted 9 of 10");
  EXPECT_EQ(refusal(9), "");
  EXPECT_EQ(refusal(10), "");
  EXPECT_EQ(refusal(11), "unknown 9 of 10") << "of another store";
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(feed->clients(), 0U) << "nobody was left behind";
}

}  // namespace
}  // namespace rollwatch
