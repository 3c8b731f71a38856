// What bounds the clients of the event feed, and what ends their streams.
#include "test/feed/feed_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using FeedBounds = FeedTest;

FeedLimits small_buffer() {
  FeedLimits limits;
  limits.buffer_bytes = 2'000;  // some eight events
  limits.page = 4;
  return limits;
}

TEST_F(FeedBounds, OneThatFallsTooFarBehindIsCutAndTheOthersAreNot) {
  start(small_buffer());
  Reader& slow = follow();
  Reader& quick = follow();
  slow.stop_reading();
  events(1);  // is being sent
  events(1);
  EXPECT_FALSE(slow.was_cut());
  events(20);
  EXPECT_TRUE(slow.was_cut());
  EXPECT_THAT(cuts, ElementsAre("slow"));
  EXPECT_EQ(quick.seqs(), from_to(1, 22));
  slow.go_on_reading();
  settle();
  EXPECT_TRUE(slow.ended());
  EXPECT_EQ(slow.seqs(), from_to(1, 1));
  EXPECT_EQ(feed->clients(), 1U);
  EXPECT_EQ(follow(1).seqs(), from_to(2, 22)) << "it goes on where it was when it comes back";
}

// A page for somebody who comes back is bounded by itself, however long it takes to be sent.
TEST_F(FeedBounds, OneThatIsStillReadingWhatItMissedIsNotBehind) {
  FeedLimits limits = small_buffer();
  limits.client_page = 2;
  start(limits);
  Reader& quick = follow();
  events(10);
  events(10);
  Reader& back = follow_without_reading(0);
  EXPECT_EQ(back.seqs(), from_to(1, 2));
  events(40);
  EXPECT_EQ(quick.seqs(), from_to(1, 60));
  back.go_on_reading();
  settle();
  EXPECT_EQ(back.seqs(), from_to(1, 60));
  EXPECT_THAT(cuts, IsEmpty());
}

TEST_F(FeedBounds, OneThatDoesNotTakeWhatItIsSentIsCutAfterAMinute) {
  Reader& stuck = follow();
  Reader& quick = follow();
  stuck.stop_reading();
  event();
  clock.advance(Millis{59'000});
  EXPECT_FALSE(stuck.was_cut());
  clock.advance(Millis{20'000});
  EXPECT_TRUE(stuck.was_cut());
  EXPECT_FALSE(quick.was_cut());
  EXPECT_THAT(cuts, ElementsAre("slow"));
}

TEST_F(FeedBounds, ThereAreOnlySoManyClients) {
  FeedLimits limits;
  limits.clients = 2;
  start(limits);
  Reader& first = follow();
  follow();
  EXPECT_EQ(refusal(), "full");
  EXPECT_EQ(feed->clients(), 2U);
  first.hang_up();
  settle();
  EXPECT_EQ(refusal(), "");
}

TEST_F(FeedBounds, AStopEndsEveryStreamAndLetsNobodyIn) {
  events(3);
  Reader& idle = follow();
  Reader& stuck = follow(0);
  stuck.stop_reading();
  event();
  feed->stop();
  settle();
  EXPECT_TRUE(idle.ended());
  EXPECT_EQ(refusal(), "full");
  const int before = store.reads;
  events(3);
  clock.advance(Millis{60'000});
  EXPECT_EQ(store.reads, before);
  EXPECT_EQ(idle.seqs(), from_to(4, 4));
  stuck.go_on_reading();
  settle();
  EXPECT_TRUE(stuck.ended());
  EXPECT_THAT(cuts, IsEmpty()) << "that is nobody's fault";
}

TEST_F(FeedBounds, ABodyMayOutliveTheFeed) {
  Reader& reader = follow();
  reader.stop_reading();
  event();
  feed.reset();
  settle();
  reader.go_on_reading();
  settle();
  EXPECT_TRUE(reader.ended());
}

TEST_F(FeedBounds, AStoreThatIsAwayIsWaitedFor) {
  Reader& reader = follow();
  store.is_away = true;
  events(2);
  clock.advance(Millis{15'000});
  EXPECT_FALSE(reader.ended());
  EXPECT_THAT(reader.text(), testing::EndsWith(":\n\n")) << "it hears of us meanwhile";
  EXPECT_THROW(refusal(99), StoreError);
  EXPECT_EQ(feed->clients(), 1U);
  store.is_away = false;
  clock.advance(Millis{1'000});
  EXPECT_EQ(reader.seqs(), from_to(1, 2));
}

TEST_F(FeedBounds, AStreamWhoseNextPageCannotBeReadEndsAndCanBeGoneOnWith) {
  FeedLimits limits = small_buffer();
  limits.client_page = 2;
  start(limits);
  follow();
  events(20);
  Reader& reader = follow_without_reading(0);
  store.is_away = true;
  reader.go_on_reading();
  settle();
  EXPECT_TRUE(reader.ended());
  EXPECT_FALSE(reader.was_cut());
  EXPECT_EQ(reader.seqs(), from_to(1, 2));
  store.is_away = false;
  EXPECT_EQ(follow(2).seqs(), from_to(3, 20));
}

// A whole piece may be looked through for nothing. Who waited then, with more before it, was waited
// for by the reader: nobody was given anything any more.
TEST_F(FeedBounds, OneWhoseFilterFitsNothingHoldsUpNobody) {
  FeedLimits limits;
  limits.piece_bytes = 200;  // some four events
  start(limits);
  FeedFilter filter;
  filter.rollout = "ro_b";
  Reader& filtered = follow(0, filter);
  Reader& all = follow(0);
  events(50);
  event("ro_b");
  events(50);
  EXPECT_EQ(filtered.seqs(), from_to(51, 51));
  EXPECT_EQ(all.seqs(), from_to(1, 101));
  clock.advance(Millis{15'000});
  EXPECT_THAT(filtered.text(), testing::EndsWith(":\nid: 101\n\n")) << "and looked at all of it";
}

// Only with a retention of minutes, and a store that was away for as long.
TEST_F(FeedBounds, OneWhoseNextEventsWereDeletedIsCut) {
  Reader& reader = follow();
  events(1, "ro_a");
  store.is_away = true;
  events(2, "ro_b");
  store.forget_all_of("ro_b");
  store.is_away = false;
  events(1, "ro_a");
  clock.advance(Millis{1'000});
  EXPECT_TRUE(reader.was_cut());
  EXPECT_THAT(cuts, ElementsAre("gap"));
  EXPECT_EQ(reader.seqs(), from_to(1, 1));
  EXPECT_EQ(refusal(1), "deleted 3 of 4") << "and is told so when it comes back";
}

TEST_F(FeedBounds, WhoReadsPagesIsCutWhenTheNextOneIsDeleted) {
  FeedLimits limits;
  limits.page = limits.client_page = 2;
  start(limits);
  events(6, "ro_a");
  events(2, "ro_b");
  auto meanwhile = [this] { store.forget_all_of("ro_a"); };
  store.while_reading = meanwhile;
  Reader& reader = follow(0);
  EXPECT_TRUE(reader.was_cut());
  EXPECT_THAT(cuts, ElementsAre("gap"));
  EXPECT_EQ(reader.seqs(), from_to(1, 2));
}

// Put back from a copy, or failed over: the numbers that come now were told before.
TEST_F(FeedBounds, AStoreThatHasGoneBackEndsEveryStream) {
  Reader& reader = follow();
  events(5);
  store.log.resize(2);
  store.newest = 2;
  clock.advance(Millis{3'000});
  EXPECT_TRUE(reader.was_cut());
  EXPECT_THAT(cuts, ElementsAre("gap"));
  EXPECT_EQ(refusal(5), "unknown 0 of 2");
  Reader& anew = follow();
  events(2);
  EXPECT_EQ(anew.seqs(), from_to(3, 4));
}

}  // namespace
}  // namespace rollwatch
