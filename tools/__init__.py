"""Commands that a person calls beside DVC."""

from study.interrupts import begin

begin()
