# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# prove's formatter of "make check": what a failed program said is shown whole, skips come with
# their reasons, the last line counts test points: "N passed, N failed, N skipped".
package Tally;
use strict;
use warnings;
use parent 'TAP::Formatter::Console';

sub open_test {
    my ($self, $name, $parser) = @_;
    my $seen = { name => $name, parser => $parser, lines => [], skips => [] };

    push @{ $self->{tally} }, $seen;
    $parser->callback(ALL  => sub { push @{ $seen->{lines} }, $_[0]->raw });
    $parser->callback(test => sub { _point($seen, $_[0]) });
    return $self->SUPER::open_test($name, $parser);
}

sub _point {
    my ($seen, $point) = @_;

    if ($point->has_skip || $point->has_todo) {
        push @{ $seen->{skips} }, join ': ', grep { length } $point->description =~ s/^- //r,
            $point->explanation;
    } elsif ($point->is_ok) {
        $seen->{passed}++;
    } else {
        $seen->{failed}++;
    }
}

sub summary {
    my ($self, $aggregate, $interrupted) = @_;
    my %sum = (passed => 0, failed => 0, skipped => 0);

    $self->SUPER::summary($aggregate, $interrupted);
    for my $seen (@{ $self->{tally} }) {
        my $parser = $seen->{parser};

        push @{ $seen->{skips} }, $parser->skip_all if $parser->skip_all && !$parser->has_problems;
        # A program that died, or broke its plan, failed even if each point of it is good.
        $seen->{failed} ||= 1 if $parser->has_problems;
        _show($seen) if $seen->{failed};
        $sum{passed}  += $seen->{passed} // 0;
        $sum{failed}  += $seen->{failed} // 0;
        $sum{skipped} += @{ $seen->{skips} };
    }
    for my $seen (@{ $self->{tally} }) {
        print "skipped: $seen->{name}: $_\n" for @{ $seen->{skips} };
    }
    print "$sum{passed} passed, $sum{failed} failed, $sum{skipped} skipped\n";
}

sub _show {
    my ($seen) = @_;

    print "\n--- $seen->{name} said:\n", map { "$_\n" } @{ $seen->{lines} };
    print "---\n";
}

1;
